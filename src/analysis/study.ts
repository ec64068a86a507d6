/** An experiment together with what its runs' files say: what tables, figures and reports are made of. */
import type { Config } from '../config/schema.js';
import { isDetectorName, isOverClips } from '../config/schema-model.js';
import { type Setting, settingOf } from '../experiments/setting.js';
import { type ErrorTable, publishedError, publishedErrors } from '../paper/published.js';
import { publishedDetection } from '../paper/published-detections.js';
import { type CurveRow, curveColumns } from '../runs/curves.js';
import type { ResponseRow } from '../runs/responses.js';
import type { Summary } from '../runs/summary.js';
import { classificationError, classificationMeasures, type Metric } from '../tasks/metric.js';

/** How a run stands: its summary's status; `unreadable` when its files are cut short, `missing` when it never began. */
export type RunState = Summary['status'] | 'unreadable' | 'missing';

export interface StudyRun {
  seed: number;
  /** Its folder, absolute. */
  folder: string;
  outcome: RunState;
  /** The total is not known of a training in steps that never began. */
  epochs: { done: number; total?: number };
  /** The metrics of the run's task, the compared one first. */
  metrics: readonly Metric[];
  /** The compared metric's statistic that is reported of its model (`reportedStatistic`); only of a completed run. */
  value?: number;
  rows: CurveRow[];
  /** The distribution of its convolutions' responses by epoch, where it logged them. */
  responses?: ResponseRow[];
  summary?: Summary;
  /** How its 3×3 convolutions may be computed, by its config.yaml. */
  arithmetic?: { convolutions: Config['engine']['convolutions']; precision: Config['precision'] };
  /** The checksums of its data by name, by its environment.json. */
  data?: Readonly<Record<string, string>>;
  /** Why it does not count, in a few words. */
  problem?: string;
}

export interface StudyCell {
  /** The study's metric. */
  metric: Metric;
  /** Folder name, unique in the study. */
  key: string;
  label: string;
  config: Config;
  setting: Setting;
  /** The paper's, in the metric's unit. */
  published?: Published;
  runs: StudyRun[];
}

export interface Study {
  /** The metric that its cells are compared by. */
  metric: Metric;
  name: string;
  title: string;
  /** The table and figure of the paper that it repeats. */
  reproduces?: { table?: number; figure?: number };
  /** Results folder; files made from the study go there. */
  folder: string;
  /** Set where several were named: the folder of each. */
  parts?: string[];
  /** In the order of the paper's tables. */
  cells: StudyCell[];
  /** Another experiment's cells that some of these are compared with; they have no rows of their own. */
  baseline: StudyCell[];
  seeds: number[];
  notPossible: { label: string; why: string; published?: number }[];
  /** Runs in the results folder whose cell or seed is none of the experiment's: of an earlier version of it. */
  strays: string[];
}

/** A number of the paper, and where it stands. */
export interface Published {
  source: string;
  /** As the paper names it: `resnet50`, `ResNet-50-FPN`. */
  model: string;
  normalizer: string;
  value: number;
}

const isErrorTable = (table?: number): table is ErrorTable =>
  publishedErrors.some((value) => value.table === table && table !== undefined);

/**
 * A cell with what the paper has for it; its label is given when all cells of the study are known.
 * @param planned.metric the metric that its runs are judged by, where none of them has begun
 */
export function studyCell(
  key: string,
  config: Config,
  runs: StudyRun[],
  planned: { table?: number; metric?: Metric } = {},
): StudyCell {
  const setting = settingOf(config);
  const { table, metric: expected = classificationError } = planned;
  const metric = runs.find(({ summary }) => summary)?.metrics[0] ?? expected;
  const published = isOfThePaper({ config, metric })
    ? publishedFor({ config, setting, metric }, table)
    : undefined;
  return { key, label: key, config, setting, metric, published, runs };
}

/** The paper's number for a cell, if it has one. */
export function publishedFor(
  { config, setting, metric }: Pick<StudyCell, 'config' | 'setting' | 'metric'>,
  table?: number,
): Published | undefined {
  if (isDetectorName(config.model.name)) {
    const row = publishedDetection(config, table);
    const value = (row as unknown as Record<string, unknown> | undefined)?.[metric.name];
    return row && typeof value === 'number' ? { ...row, value } : undefined;
  }
  // A table without the cell falls back on the rest of the paper, but Table 3's groups are no Table 1.
  const own = isErrorTable(table) ? publishedError(setting, table) : undefined;
  const found = own ?? (table === 3 ? undefined : publishedError(setting));
  return found && { ...found, value: found.error };
}

/**
 * The paper's errors are of training from scratch, over clips and of detectors from other weights, on all classes, and of
 * evaluation with running statistics.
 */
export const isOfThePaper = ({ config, metric }: Pick<StudyCell, 'config' | 'metric'>): boolean => {
  const { init, model, data, evaluate, task } = config;
  return (
    !task &&
    (isDetectorName(model.name) ? !isError(metric) : isError(metric)) &&
    (!init || isOverClips(model.name) || isDetectorName(model.name)) &&
    !data.classes &&
    evaluate.statistics === 'running'
  );
};

const isError = ({ name }: Metric) => name === classificationError.name;

/** Values of a cell's completed runs, by seed. */
export function valuesOf(cell: StudyCell): { seed: number; value: number }[] {
  return cell.runs.flatMap(({ seed, value }) => (value === undefined ? [] : [{ seed, value }]));
}

/** Says whether any run of a cell diverged: the mean of those that did not would flatter it. */
export function hasDiverged(cell: StudyCell): boolean {
  return cell.runs.some((run) => run.outcome === 'diverged');
}

/** The columns of training in the study's curves: what the task logs, then the loss. */
export function trainColumns({ cells }: Study): `train_${string}`[] {
  const rows = cells.flatMap(({ runs }) => runs.flatMap(({ rows }) => rows.slice(0, 1)));
  const known = rows.length > 0 ? Object.keys(rows[0]) : curveColumns(classificationMeasures);
  const logged = known.filter((column) => column.startsWith('train_') && column !== 'train_loss');
  return [...logged, 'train_loss'] as `train_${string}`[];
}
