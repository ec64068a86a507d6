/** The notes of a table on cells and runs that are not in its numbers, and on what these cannot tell. */
import type { FewExamples } from '../../analysis/few-examples.js';
import { fixed } from '../../terminal/number-format.js';
import type { TableModel } from './model.js';

/** A sentence each: what this model cannot do, runs that do not count, runs of other experiments, and how few examples there were. */
export function notesOf(model: TableModel): string[] {
  const { notPossible, rows, baselineRows, strays, otherData, convolutions, fewExamples, beforeDrop } = model;
  return [
    ...notPossible.map(
      ({ label, why, published }) =>
        `Not possible: ${label}, ${why}${published === undefined ? '' : ` (paper: ${fixed(published, 1)})`}.`,
    ),
    ...[...rows, ...baselineRows].flatMap(({ remarks }) =>
      remarks.map((remark) => `Not counted: ${remark}.`),
    ),
    ...convolutionsNote(convolutions),
    ...otherData.map((run) => `Trained on other data: ${run}.`),
    ...strays.map((path) => `Not counted: ${path} is no run of this experiment.`),
    ...(fewExamples ? [fewExamplesNote(fewExamples)] : []),
    ...beforeDropNote(beforeDrop, rows.length + baselineRows.length),
  ];
}

/**
 * Rounding tells the two kinds apart, nothing else; but a table that mixes them says so, at each number. A processor
 * with a unit for bfloat16 computes those directly, whatever is allowed.
 */
function convolutionsNote({ direct, winograd, bfloat16 }: TableModel['convolutions']): string[] {
  if (winograd.length === 0) return [];
  const how = `onvolutions by Winograd’s filtering${bfloat16 ? ' (in bfloat16 if the processor has no unit for it)' : ''}`;
  if (direct.length === 0) return [`C${how} in all runs.`];
  return [`(W): c${how}; (some W): in some of the seeds; without a mark: direct ones.`];
}

function beforeDropNote(labels: string[], rows: number): string[] {
  if (labels.length === 0) return [];
  const which = labels.length === rows ? 'In every cell' : `In ${labels.join('; ')}`;
  return [
    `${which} most of the 5 evaluations whose median is given are from before the last drop of the rate; runs.csv has the last one’s number beside it.`,
  ];
}

function fewExamplesNote({ count, unit, error }: FewExamples): string {
  if (!error) {
    return `Validated on ${count} ${unit}: how far the numbers would be others over other such ${unit}, an interval over seeds leaves out.`;
  }
  const { percent, margin } = error;
  const told = `an error of ${fixed(percent, 1)} % has a 95 % interval of ±${fixed(margin, 1)} points`;
  return `Validated on ${count} ${unit}: ${told} over other such ${unit} (binomial), which an interval over seeds leaves out.`;
}
