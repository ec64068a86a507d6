/** On how few examples a number was measured, and an error's interval for it: intervals over seeds leave that out. */
import type { Config } from '../config/schema.js';
import { examplesOfModel } from '../config/schema-model.js';
import { classificationError } from '../tasks/metric.js';
import { shownCells } from './contrasts.js';
import { mean } from './statistics.js';
import { type Study, valuesOf } from './study.js';

/** With more of them an error's interval is ±3 points or less. */
const few = 1000;

export interface FewExamples {
  count: number;
  unit: 'images' | 'clips';
  /** The error of the cell that is the least sure; undefined where a metric is no share of examples. */
  error?: {
    /** Its mean over seeds, in percent. */
    percent: number;
    /** Half of its 95 % interval, in points: 1.96 standard deviations of a binomial share. */
    margin: number;
  };
}

/** @returns undefined where each cell is validated on more than 1,000, or nothing has run */
export function fewExamples(study: Study): FewExamples | undefined {
  const found = shownCells(study).flatMap((cell): FewExamples[] => {
    const count = validationExamples(cell.config);
    const values = valuesOf(cell).map(({ value }) => value);
    if (count === undefined || count > few || values.length === 0) return [];
    const unit = examplesOfModel(cell.config.model.name);
    if (study.metric.name !== classificationError.name) return [{ count, unit }];
    const percent = mean(values);
    const margin = 1.96 * Math.sqrt((percent * (100 - percent)) / count);
    return [{ count, unit, error: { percent, margin } }];
  });
  return found.sort((a, b) => (b.error?.margin ?? 0) - (a.error?.margin ?? 0) || a.count - b.count)[0];
}

/** As many as the configuration says; undefined where it leaves that to the data. */
function validationExamples({ data }: Config): number | undefined {
  if ('valSubset' in data && data.valSubset !== undefined) return data.valSubset;
  if ('validation' in data && data.validation !== 'test') return data.validation?.fromTrain;
  if ('valImages' in data) return data.valImages;
  return 'expect' in data ? data.expect?.val : undefined;
}
