/** An experiment together with what its runs' files say: what tables, figures and reports are made of. */
import type { Config } from '../config/schema.js';
import { type Setting, settingOf } from '../experiments/setting.js';
import { type PublishedError, publishedError } from '../paper/published.js';
import type { CurveRow } from '../runs/curves.js';
import type { Summary } from '../runs/summary.js';

/** How a run stands: its summary's status; `unreadable` when its files are cut short, `missing` when it never began. */
export type Outcome = Summary['status'] | 'unreadable' | 'missing';

export interface StudyRun {
  seed: number;
  /** Its folder, absolute. */
  folder: string;
  outcome: Outcome;
  epochs: { done: number; total: number };
  /** Median of the last 5 epochs' validation error, percent; only of a completed run. */
  error?: number;
  rows: CurveRow[];
  summary?: Summary;
  /** How its 3×3 convolutions may be computed, by its config.yaml. */
  arithmetic?: { convolutions: Config['engine']['convolutions']; precision: Config['precision'] };
  /** Why it does not count, in a few words. */
  problem?: string;
}

export interface StudyCell {
  /** Folder name, unique in the study. */
  key: string;
  label: string;
  config: Config;
  setting: Setting;
  published?: PublishedError;
  runs: StudyRun[];
}

export interface Study {
  name: string;
  title: string;
  /** What of the paper it repeats. */
  reproduces?: { table?: number; figure?: number };
  /** Results folder; files made from the study go there. */
  folder: string;
  /** In the order of the paper's tables. */
  cells: StudyCell[];
  /** Another experiment's cells that some of these are compared with; they have no rows of their own. */
  baseline: StudyCell[];
  seeds: number[];
  notPossible: { label: string; why: string; published?: number }[];
  /** Runs in the results folder that belong to no cell: of an earlier version of the experiment. */
  strays: string[];
}

/** A cell with what the paper has for it; its label is given when all cells of the study are known. */
export function studyCell(key: string, config: Config, runs: StudyRun[], table?: number): StudyCell {
  const setting = settingOf(config);
  // A table without the cell falls back on the rest of the paper, but Table 3's groups are no Table 1.
  const own = table === 1 || table === 2 || table === 3 ? publishedError(setting, table) : undefined;
  const inThePaper = own ?? (table === 3 ? undefined : publishedError(setting));
  const published = isOfThePaper(config) ? inThePaper : undefined;
  return { key, label: key, config, setting, published, runs };
}

/** The paper's errors are of training from scratch, on all classes, and of evaluation with running statistics. */
export const isOfThePaper = ({ init, data, evaluate }: Config): boolean =>
  !init && !data.classes && evaluate.statistics === 'running';

/** Errors of a cell's completed runs, by seed. */
export function errorsOf(cell: StudyCell): { seed: number; error: number }[] {
  return cell.runs.flatMap(({ seed, error }) => (error === undefined ? [] : [{ seed, error }]));
}

/** Whether any run of a cell diverged: the mean of those that did not would flatter it. */
export function hasDiverged(cell: StudyCell): boolean {
  return cell.runs.some((run) => run.outcome === 'diverged');
}
