/** Tables for other programs: tidy (a row a run) and wide (a row a cell). Empty cells are values that do not exist. */
import { stringify } from 'csv-stringify/sync';
import type { Study, StudyCell } from '../../analysis/study.js';
import { validationError } from '../../runs/statistics.js';
import { tableModel } from './model.js';

/** A row for every run, also for those that did not complete. Errors in percent; nothing that a clock measured. */
export function tidyTable(study: Study): string {
  const rows = study.cells.flatMap((cell) =>
    cell.runs.map((run) => {
      const { final, medianLast5, best } = validationError(run.rows);
      return {
        experiment: study.name,
        ...cellColumns(cell),
        seed: run.seed,
        outcome: run.outcome,
        epochs_done: run.epochs.done,
        epochs_total: run.epochs.total,
        val_error: run.error,
        val_error_median_last5: medianLast5,
        val_error_final: final,
        val_error_best: best,
        train_error_final: run.rows.at(-1)?.train_error,
        train_loss_final: run.rows.at(-1)?.train_loss,
        diverged_at_step: run.summary?.divergedAtStep,
        parameters: run.summary?.parameters,
        dataset: run.summary?.dataset.name,
        dataset_note: run.summary?.dataset.note,
        problem: run.problem,
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
    const bySeed = seeds.map((seed) => [`seed_${seed}`, values.find((value) => value.seed === seed)?.error]);
    return {
      experiment: study.name,
      ...cellColumns(cell),
      seeds: values.length,
      seeds_planned: planned,
      val_error_mean: mean,
      val_error_std: std,
      gap,
      ...Object.fromEntries(bySeed),
    };
  });
  return stringify(lines, { header: true });
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
    paper: published?.error,
    paper_source: published?.source,
  };
}
