/** Tables for other programs: tidy (a row a run) and wide (a row a cell). Empty cells are values that do not exist. */
import { stringify } from 'csv-stringify/sync';
import { type Study, type StudyCell, type StudyRun, trainColumns } from '../../analysis/study.js';
import { metricStatistics } from '../../runs/statistics.js';
import type { Metric } from '../../tasks/metric.js';
import { tableModel } from './model.js';

/** A row for every run, also for those that did not complete; nothing that a clock measured. */
export function tidyTable(study: Study): string {
  const { name } = study.metric;
  const runs = study.cells.flatMap((cell) => cell.runs);
  // A run that has not begun does not know what else its task measures.
  const others = (runs.find(({ summary }) => summary) ?? runs[0]).metrics.slice(1);
  const trained = trainColumns(study);
  const rows = study.cells.flatMap((cell) =>
    cell.runs.map((run) => {
      return {
        experiment: study.name,
        ...cellColumns(cell),
        seed: run.seed,
        outcome: run.outcome,
        epochs_done: run.epochs.done,
        epochs_total: run.epochs.total,
        [`val_${name}`]: run.value,
        ...Object.assign({}, ...[study.metric, ...others].map((metric) => statisticsColumns(run, metric))),
        ...Object.fromEntries(trained.map((column) => [`${column}_final`, run.rows.at(-1)?.[column]])),
        diverged_at_step: run.summary?.divergedAtStep,
        parameters: run.summary?.parameters,
        dataset: run.summary?.dataset.name,
        dataset_note: run.summary?.dataset.note,
        problem: run.problem,
        convolutions: run.arithmetic?.convolutions,
      };
    }),
  );
  return stringify(rows, { header: true });
}

/** A row for every cell, with a column for each seed's error. */
export function wideTable(study: Study): string {
  const { rows } = tableModel(study);
  const seeds = [...new Set(study.cells.flatMap(({ runs }) => runs.map(({ seed }) => seed)))].sort(
    (a, b) => a - b,
  );
  const lines = study.cells.map((cell, index) => {
    const { mean, std, values, planned, gap } = rows[index];
    const bySeed = seeds.map((seed) => [`seed_${seed}`, values.find((value) => value.seed === seed)?.value]);
    return {
      experiment: study.name,
      ...cellColumns(cell),
      seeds: values.length,
      seeds_planned: planned,
      [`val_${study.metric.name}_mean`]: mean,
      [`val_${study.metric.name}_std`]: std,
      gap,
      ...Object.fromEntries(bySeed),
    };
  });
  return stringify(lines, { header: true });
}

function statisticsColumns({ rows }: StudyRun, metric: Metric) {
  const { final, medianLast5, best } = metricStatistics(rows, metric);
  const column = `val_${metric.name}`;
  return { [`${column}_median_last5`]: medianLast5, [`${column}_final`]: final, [`${column}_best`]: best };
}

function cellColumns({ key, label, setting, config, published }: StudyCell) {
  return {
    cell: key,
    label,
    model: setting.model,
    normalizer: setting.normalizer,
    groups: setting.groups,
    channels_per_group: setting.channelsPerGroup,
    batch_size: setting.batchSize,
    workers: setting.workers,
    precision: config.precision,
    statistics: config.evaluate.statistics,
    paper: published?.value,
    paper_source: published?.source,
  };
}
