import { didYouMean, UserError } from '../errors.js';

/**
 * A number that a task is judged by. One declaration drives columns, console, summary, tables, verdicts and figures.
 */
export interface Metric {
  /** Its name in `val_<name>`: `error`, `boxAP`. */
  name: string;
  /** Its name in tables and figures, where the name is not a word: `box AP`. */
  label?: string;
  unit: '%' | 'points' | 'nats' | '';
  better: 'lower' | 'higher';
  /** Two values that differ by no more are about equal, in the metric's unit. */
  aboutEqual: number;
}

/** The paper's number: top-1 error. It calls GN and BN comparable at a difference of 0.5 points (Table 1). */
export const classificationError: Metric = {
  name: 'error',
  unit: '%',
  better: 'lower',
  aboutEqual: 0.5,
};

/** `error`, `box AP`. */
export const labelOf = ({ name, label = name }: Metric): string => label;

/** `error (%)`, `box AP (points)`: the title of an axis. */
export const labelWithUnit = (metric: Metric): string =>
  metric.unit === '' ? labelOf(metric) : `${labelOf(metric)} (${metric.unit})`;

/** The unit of a difference of two values: `points`, `nats`. */
export const differenceUnit = (metric: Metric): string =>
  isOfHundred(metric) ? 'points' : metric.unit || labelOf(metric);

/** True when its values run from 0 to about 100, so that two decimals say enough. */
export const isOfHundred = ({ unit }: Metric): boolean => unit === '%' || unit === 'points';

/** Decimals that a value is printed with: with those of the paper's tables, one fewer. */
export const decimalsOf = (metric: Metric): number => (isOfHundred(metric) ? 2 : 4);

/** `12.34 %`, `34.20 points`, `0.4321`. */
export function valueWithUnit(metric: Metric, value: number): string {
  const number = value.toFixed(decimalsOf(metric));
  return metric.unit === '' ? number : `${number} ${metric.unit}`;
}

/** The metric of this name. @throws {UserError} with `place` when it is none of `metrics` */
export function metricNamed(metrics: readonly Metric[], name: string, place: string): Metric {
  const found = metrics.find((metric) => metric.name === name);
  if (found) return found;
  const names = metrics.map((metric) => metric.name);
  const near = didYouMean(name, names);
  throw new UserError(`the task has no metric ${name}${near ? `; did you mean ${near}?` : ''}`, {
    place,
    fix: `one of: ${names.join(', ')}`,
  });
}

/** The numbers that a task gives. */
export interface Measured {
  /** The columns `train_<name>` that training logs beside the sum of the losses: losses, then counts. */
  logged: {
    /** The losses, if there are several: a single one is `train_loss` itself. Each is a mean over a step's examples. */
    losses: readonly string[];
    /** Counts of a step's examples. They are logged as shares of these, in percent where the metric of this name is. */
    counts: readonly string[];
  };
  /** In the order of their columns, `val_<name>`; tables compare the first unless the experiment names another. */
  metrics: readonly Metric[];
}

/** Names of the columns `train_…` behind `train_loss`. */
export const loggedNames = ({ logged }: Measured): string[] => [...logged.losses, ...logged.counts];

/** Means, in the units of the columns, of sums over `steps` steps with `images` images in all. */
export function loggedMeans(
  { logged, metrics }: Measured,
  sums: Record<string, number>,
  { steps, images }: { steps: number; images: number },
): Record<string, number> {
  const unitOf = (name: string) => metrics.find((metric) => metric.name === name)?.unit;
  return Object.fromEntries([
    ...logged.losses.map((name) => [name, sums[name] / steps]),
    ...logged.counts.map((name) => [name, ((unitOf(name) === '%' ? 100 : 1) * sums[name]) / images]),
  ]);
}

/** The columns and metrics of a classifier; also of a run whose record names none. */
export const classificationMeasures: Measured = {
  logged: { losses: [], counts: ['error'] },
  metrics: [classificationError],
};
