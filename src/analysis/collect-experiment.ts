/** An experiment with its results as a study. */
import { existsSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import type { Config } from '../config/schema.js';
import { isDetectorName } from '../config/schema-model.js';
import { baselineFile, type Experiment, loadExperiment } from '../experiments/experiment.js';
import { settingOf } from '../experiments/setting.js';
import { type PaperKey, publishedError } from '../paper/published.js';
import { loadTask } from '../tasks/index.js';
import { type Metric, metricNamed } from '../tasks/metric.js';
import { findRuns } from './collect-folder.js';
import { readRun } from './read-run.js';
import { type Study, type StudyCell, studyCell } from './study.js';

/** Reads every run of the experiment that there is. Throws UserError when the experiment or its baseline is wrong. */
export async function collectExperiment(experiment: Experiment): Promise<Study> {
  const table = experiment.reproduces?.table;
  const { model } = experiment.cells[0].config;
  const metric = isDetectorName(model.name) ? await plannedMetric(experiment) : undefined;
  const cells = await readCells(experiment, metric);
  const known = new Set(experiment.runs.map(({ folder }) => relative(experiment.folder, folder)));
  const baseline = experiment.baseline ? await collectBaseline(experiment.baseline, experiment, metric) : [];
  return {
    metric: await metricOf(experiment, cells),
    name: experiment.name,
    title: experiment.title,
    reproduces: experiment.reproduces,
    folder: experiment.folder,
    cells,
    baseline,
    seeds: experiment.seeds,
    notPossible: experiment.notPossible.map(({ axes, label, why }) => ({
      label,
      why,
      published: publishedError(keyOfAxes(experiment.cells[0].config, axes), table === 3 ? 3 : undefined)
        ?.error,
    })),
    strays: existsSync(experiment.folder)
      ? findRuns(experiment.folder)
          .map((folder) => relative(experiment.folder, folder))
          .filter((path) => !known.has(path))
      : [],
  };
}

async function collectBaseline(name: string, experiment: Experiment, metric?: Metric): Promise<StudyCell[]> {
  const out = dirname(experiment.folder);
  const baseline = await loadExperiment(baselineFile(name, experiment.file, out), { out });
  // Several of the paper's tables have the same detector: its cells are looked for where the experiment's own are.
  const table = metric ? experiment.reproduces?.table : undefined;
  return readCells(baseline, metric, table);
}

function readCells(
  experiment: Experiment,
  metric?: Metric,
  table = experiment.reproduces?.table,
): Promise<StudyCell[]> {
  return Promise.all(
    experiment.cells.map(async (cell) =>
      studyCell(
        cell.key,
        cell.config,
        await Promise.all(
          experiment.seeds.map((seed) =>
            readRun(experiment.runFolder(cell, seed), {
              seed,
              epochs: cell.config.epochs,
              metric: experiment.metric,
              model: cell.config.model,
            }),
          ),
        ),
        { table, metric },
      ),
    ),
  );
}

/** The paper's key of a cell that is only described: the base config with the axes' values. */
function keyOfAxes(base: Config, axes: Record<string, unknown>): PaperKey {
  const setting = settingOf(base);
  const named = axes.normalizer;
  const normalizer =
    typeof named === 'object' && named !== null ? (named as Record<string, unknown>) : { name: named };
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  return {
    ...setting,
    normalizer: String(axes['normalizer.name'] ?? normalizer.name ?? setting.normalizer),
    groups: number(axes['normalizer.groups'] ?? normalizer.groups),
    channelsPerGroup: number(axes['normalizer.channelsPerGroup'] ?? normalizer.channelsPerGroup),
    batchSize: number(axes['batch.size']) ?? setting.batchSize,
  };
}

/** The metric of the first run that has one; before any run, the one that the task declares. */
async function metricOf(experiment: Experiment, cells: StudyCell[]): Promise<Metric> {
  const { metric, file } = experiment;
  const begun = cells.flatMap(({ runs }) => runs).find(({ summary }) => summary);
  if (!begun) return plannedMetric(experiment);
  return metric === undefined ? cells[0].metric : metricNamed(begun.metrics, metric, `${file}: metric`);
}

/** The metric that the experiment asks for, or the first of its task. */
async function plannedMetric({ cells: [{ config }], metric: wanted, file }: Experiment): Promise<Metric> {
  const { task } = await loadTask(config);
  return wanted === undefined ? task.metrics[0] : metricNamed(task.metrics, wanted, `${file}: metric`);
}
