/** A classifier's answer to each example of a split, as a file of the run's folder. */
export interface Answer {
  /** The example's number in the split. */
  example: number;
  label: number;
  /** The class of the largest probability. */
  answer: number;
  /** The probabilities of the label and of the answer. */
  ofLabel: number;
  ofAnswer: number;
}

export const answersFile = 'answers.csv';
const header = 'example,label,answer,of_label,of_answer';

/** @param logits of one example */
export function answerOf(logits: Float32Array, example: number, label: number): Answer {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const exponentials = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  const answer = Math.max(0, logits.indexOf(largest));
  const [ofLabel, ofAnswer] = [label, answer].map((at) => exponentials[at] / sum);
  return { example, label, answer, ofLabel, ofAnswer };
}

export const printAnswers = (answers: readonly Answer[]): string =>
  [
    header,
    ...answers.map(({ example, label, answer, ofLabel, ofAnswer }) =>
      [example, label, answer, ofLabel.toFixed(6), ofAnswer.toFixed(6)].join(),
    ),
    '',
  ].join('\n');

/** The answers of a file that `printAnswers` wrote. */
export const parseAnswers = (text: string): Answer[] =>
  text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [example, label, answer, ofLabel, ofAnswer] = line.split(',').map(Number);
      return { example, label, answer, ofLabel, ofAnswer };
    });
