/** The end of a run as `gnbench run` prints it. */
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import { examplesOfModel } from '../config/schema-model.js';
import { labelOf, type Metric, valueWithUnit } from '../tasks/metric.js';
import { counted } from '../terminal/words.js';
import { evaluationsOf, reportedStatistic } from './statistics.js';
import { metricsOf, type Summary, valKey } from './summary.js';

/** @param out the run's folder */
export function summaryInWords(summary: Summary, config: Config, out: string): string {
  const { epochs, steps } = summary;
  const ended = {
    completed: `completed ${counted(epochs.total, 'epoch')}`,
    interrupted: `stopped after step ${steps.done} of ${steps.total}; go on with --resume`,
    diverged: `diverged: the loss at step ${summary.divergedAtStep} is not finite; try a lower learningRate.base`,
    running: 'is still running',
    failed: 'failed',
  }[summary.status];
  const speed =
    summary.imagesPerSecond === null
      ? ''
      : `, ${summary.imagesPerSecond.toFixed(0)} ${examplesOfModel(config.model.name)}/s`;
  const validation = metricsOf(summary).flatMap((metric) => metricInWords(summary, config, metric));
  return [
    `${summary.name} (seed ${summary.seed}) ${ended}${speed}`,
    ...(validation.length > 0 ? validation : ['validation        not evaluated']),
    `curves            ${join(out, 'curves.csv')}`,
    '',
  ].join('\n');
}

/** A line; none for a metric without a value, as the AP of large objects is where there are none. */
function metricInWords(summary: Summary, config: Config, metric: Metric): string[] {
  const { final, medianLast5, best } = summary[valKey(metric.name)];
  if (final === null && medianLast5 === null && best === null) return [];
  const told = (value: number | null, what: string) =>
    `${value === null ? 'no number' : valueWithUnit(metric, value)} ${what}`;
  const median = told(medianLast5, `median of the last 5 ${evaluationsOf(config)}`);
  const numbers = [
    told(final, 'last'),
    ...(reportedStatistic(config.model.name) === 'medianLast5' ? [median] : []),
    told(best, 'best'),
  ];
  return [`${`validation ${labelOf(metric)}  `.padEnd(18)}${numbers.join(', ')}`];
}
