/** The last evaluation of a run over clips leaves sheets of them in its folder, beside the answers. */
import { type Dataset, examplesOf } from '../datasets/dataset.js';
import { UserError } from '../errors.js';
import type { SourceDescription } from '../input/example-source.js';
import { drawClipSheets } from '../runs/clip-sheets.js';
import { type Answer, answersFile, parseAnswers } from '../tasks/answers.js';
import type { KeepFile } from './evaluation.js';
import type { OpenNetwork } from './open-network.js';

/** @param source the validation split with one view of each video */
export function withSheets(
  evaluate: OpenNetwork['evaluate'],
  dataset: Pick<Dataset, 'shape' | 'classNames' | 'validation'>,
  source: SourceDescription,
  note: (message: string) => void,
): OpenNetwork['evaluate'] {
  if (examplesOf(dataset) === 'images') return evaluate;
  const { classNames, validation } = dataset;
  const clips = { source, labels: validation.labels, classNames, paths: validation.files?.paths };
  return async (pause, final, keep) => {
    if (!final || !keep) return evaluate(pause, final, keep);
    let answers: Answer[] | undefined;
    const file: KeepFile = (name, text) => {
      if (name === answersFile) answers = parseAnswers(String(text));
      keep.file(name, text);
    };
    const found = await evaluate(pause, final, { ...keep, file });
    if (!found) return undefined;
    const sheets = await drawClipSheets(clips, answers).catch((error) => {
      // The image library is optional, and a training that has come to its end is worth more than its pictures.
      if (!(error instanceof UserError)) throw error;
      note(`warning: no sheets of clips are drawn: ${error.message}`);
      return {};
    });
    for (const [name, text] of Object.entries(sheets)) keep.file(name, text);
    return found;
  };
}
