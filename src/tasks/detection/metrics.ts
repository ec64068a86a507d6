/** COCO's metrics as the metrics of a task, in points: 100 times the fraction. */
import type { AveragePrecision } from '../../coco/average-precision.js';
import type { Metric } from '../metric.js';

export const comparisons = ['box', 'mask'] as const;
export type Comparison = (typeof comparisons)[number];

/** The numbers of each comparison, the paper's three first. */
const numbers = ['AP', 'AP50', 'AP75', 'APsmall', 'APmedium', 'APlarge', 'AR100'] as const;

const nameOf = (by: Comparison, number: (typeof numbers)[number]) => `${by}${number}`;

/** `boxAP`, `boxAP50`, …, `maskAR100`. */
export const detectionMetrics = (by: readonly Comparison[]): Metric[] =>
  by.flatMap((each) =>
    numbers.map((number) => ({
      name: nameOf(each, number),
      label: `${each} ${number}`,
      unit: 'points',
      better: 'higher',
      aboutEqual: 0.5,
    })),
  );

/** Their values; a number that no object counts for is left out. */
export const metricValues = (
  by: Comparison,
  found: AveragePrecision | Omit<AveragePrecision, 'perCategory'>,
) =>
  Object.fromEntries(
    numbers.flatMap((number) => {
      const value = found[number];
      return value === undefined ? [] : [[nameOf(by, number), 100 * value] as const];
    }),
  );
