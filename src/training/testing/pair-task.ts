/**
 * A task for clips of motions in pairs: classification that is judged by two questions, each against the number of an
 * untrained network: is the motion's pair told from the other pairs, and are the two of a pair told apart?
 */
import { classification } from '../../tasks/classification.js';
import type { Evaluator, Task } from '../../tasks/task.js';

/** Classes 2k and 2k + 1 are a pair. */
const pairOf = (motion: number): number => motion >> 1;

export default function pairTask(): Pick<
  Task,
  'logged' | 'metrics' | 'targets' | 'training' | 'predictions' | 'evaluator'
> {
  const { logged, targets, training, predictions } = classification();
  return { logged, targets, training, predictions, metrics: [rightPair, rightWithin], evaluator };
}

const inPercent = { unit: '%', better: 'higher', aboutEqual: 1 } as const;
const rightPair = { name: 'rightPair', ...inPercent };
const rightWithin = { name: 'rightWithin', ...inPercent };

function evaluator(): Evaluator {
  let [clips, pairs, within] = [0, 0, 0];
  return {
    add({ logits }, { labels }, rows) {
      const classes = logits.length / rows;
      for (let row = 0; row < rows; row++) {
        const own = [...logits.subarray(row * classes, (row + 1) * classes)];
        const label = labels[row];
        clips++;
        if (pairOf(own.indexOf(Math.max(...own))) === pairOf(label)) pairs++;
        if (own[label] > own[label ^ 1]) within++;
      }
    },
    result: () => ({ rightPair: (100 * pairs) / clips, rightWithin: (100 * within) / clips }),
  };
}
