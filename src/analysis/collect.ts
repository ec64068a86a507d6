/**
 * Reads an experiment's results, or plain folders of runs, for tables and figures. What is said about a run comes from
 * its `curves.csv` and `summary.json` alone; a run whose files were cut short counts as incomplete and says so.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cellId } from '../config/identity.js';
import { didYouMean, UserError } from '../errors.js';
import {
  type Experiment,
  loadExperiment,
  shippedExperiments,
  snapshotName,
} from '../experiments/experiment.js';
import { cellLabels } from '../experiments/label.js';
import { compareSettings } from '../experiments/setting.js';
import { labelOf } from '../tasks/metric.js';
import { byText } from '../terminal/words.js';
import { collectExperiment } from './collect-experiment.js';
import { collectFolder, dropRepeats } from './collect-folder.js';
import { groupBy } from './group-by.js';
import { isOfThePaper, type Study, type StudyCell } from './study.js';

/**
 * The study behind one or several targets: an experiment file, its name, its results folder, or a folder of runs.
 * Throws UserError for a target that is none of these.
 */
export async function collect(targets: string | readonly string[]): Promise<Study> {
  const list = typeof targets === 'string' ? [targets] : targets;
  if (list.length === 0)
    throw new UserError('no experiment is named', { fix: `one of: ${shippedExperiments().join(', ')}` });
  const studies: Study[] = [];
  for (const target of list) studies.push(await collectOne(target));
  return label(studies.length === 1 ? studies[0] : combine(studies));
}

/** The study behind an experiment that is loaded already. */
export async function studyOf(experiment: Experiment): Promise<Study> {
  return label(await collectExperiment(experiment));
}

/** The results folders of experiments in `results/`, in order. */
export function experimentResults(folder = 'results'): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort(byText)
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, snapshotName)));
}

/**
 * A table of several targets belongs to none of them: beside one's results it would replace what is made of that one alone.
 *
 * @throws UserError when there are several and no `out`
 */
export function requirePlace(targets: string | readonly string[], out: string | undefined): void {
  if (typeof targets === 'string' || targets.length < 2 || out !== undefined) return;
  throw new UserError(`is needed for what is made of ${targets.length} experiments together`, {
    place: '--out',
    fix: 'name where it goes, or name them one by one',
  });
}

async function collectOne(target: string): Promise<Study> {
  const isFolder = existsSync(target) && statSync(target).isDirectory();
  if (isFolder && !existsSync(join(target, snapshotName))) return collectFolder(target);
  if (isFolder || /\.ya?ml$/.test(target) || shippedExperiments().includes(target)) {
    return collectExperiment(await loadExperiment(target));
  }
  const near = didYouMean(target, shippedExperiments());
  throw new UserError('no experiment and no folder of runs has this name', {
    place: target,
    fix: near ? `did you mean ${near}?` : `experiments: ${shippedExperiments().join(', ')}`,
  });
}

/** @throws UserError: what is judged by other metrics has no place in one table */
function requireOneMetric(studies: readonly Study[]): void {
  const [first] = studies;
  const other = studies.find(({ metric }) => metric.name !== first.metric.name);
  if (!other) return;
  throw new UserError(
    `${first.name} is judged by ${labelOf(first.metric)}, ${other.name} by ${labelOf(other.metric)}`,
    { place: other.folder, fix: 'make a table of each' },
  );
}

/** Several studies as one: cells with the same configuration are the same cell, whatever their experiments call them. */
function combine(studies: Study[]): Study {
  requireOneMetric(studies);
  const everyCell = studies.flatMap(({ cells }) => cells);
  const cells = [...groupBy(everyCell, cellIdentity).values()].map((twins) => {
    const runs = twins.flatMap((twin) => twin.runs);
    const begun = new Set(runs.filter(({ outcome }) => outcome !== 'missing').map(({ seed }) => seed));
    return {
      ...twins[0],
      runs: runs.filter(({ outcome, seed }) => outcome !== 'missing' || !begun.has(seed)),
    };
  });
  for (const cell of cells) dropRepeats(cell);
  const own = new Set(cells.map(cellIdentity));
  const compared = studies.flatMap(({ baseline }) => baseline).filter((cell) => !own.has(cellIdentity(cell)));
  const tables = new Set(studies.map((study) => study.reproduces?.table));
  return {
    metric: studies[0].metric,
    name: studies.map(({ name }) => name).join('+'),
    title: studies.map(({ title }) => title).join(' · '),
    reproduces: tables.size === 1 ? studies[0].reproduces : undefined,
    folder: studies[0].folder,
    parts: studies.map(({ folder }) => folder),
    cells,
    baseline: [...groupBy(compared, cellIdentity).values()].map(([first]) => first),
    seeds: [...new Set(studies.flatMap(({ seeds }) => seeds))].sort((a, b) => a - b),
    notPossible: studies.flatMap(({ notPossible }) => notPossible),
    strays: studies.flatMap(({ strays }) => strays),
  };
}

const cellIdentity = ({ config }: StudyCell): string => cellId(config);

/** Sorts and names the cells, now that all are known, and compares all of them by one metric. */
function label(unsorted: Study): Study {
  const study = byOneMetric(unsorted);
  const cells = [...study.cells].sort((a, b) => compareSettings(a.setting, b.setting));
  const baseline = [...study.baseline].sort((a, b) => compareSettings(a.setting, b.setting));
  const own = cellLabels(cells, baseline);
  const others = cellLabels(baseline, cells);
  return {
    ...study,
    cells: cells.map((cell, index) => ({ ...cell, label: own[index] })),
    baseline: baseline.map((cell, index) => ({ ...cell, label: others[index] })),
  };
}

/** Runs of another task have no value of the study's metric: they do not count. */
function byOneMetric(study: Study): Study {
  const everyCell = [...study.cells, ...study.baseline];
  const judged = everyCell.find(({ runs }) => runs.some(({ summary }) => summary));
  const metric = judged?.metric ?? study.metric;
  const judgeBy = (cell: StudyCell): StudyCell => ({
    ...cell,
    metric,
    // A number of another metric's, a box AP among mask APs, is none to be held against.
    published: cell.metric.name === metric.name && isOfThePaper(cell) ? cell.published : undefined,
    runs: cell.runs.map((run) =>
      !run.summary || run.metrics[0].name === metric.name
        ? run
        : {
            ...run,
            value: undefined,
            problem: `is judged by ${labelOf(run.metrics[0])}, not by ${labelOf(metric)}`,
          },
    ),
  });
  return { ...study, metric, cells: study.cells.map(judgeBy), baseline: study.baseline.map(judgeBy) };
}
