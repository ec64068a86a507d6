/**
 * Average precision of a detector's predictions over a split. A step gives as many predictions for every image, of
 * which those count that `valid` marks.
 */
import type { Detection } from '../../coco/detections.js';
import type { Instances } from '../../coco/instances.js';
import { resultsText } from '../../coco/results-file.js';
import { type InstanceScores, scoreInstances } from '../../coco/score-instances.js';
import type { Evaluator } from '../task.js';
import { detectionsOf } from './detections-of.js';
import { type Comparison, metricValues } from './metrics.js';

export function detectionEvaluator(truth: Instances, by: readonly Comparison[]): Evaluator {
  const detections: Detection[] = [];
  let scores: Map<Comparison, InstanceScores> | undefined;
  const scored = () => {
    scores ??= new Map(by.map((each) => [each, scoreInstances(each, truth, detections)]));
    return scores;
  };
  return {
    add(predictions, targets, rows) {
      for (let row = 0; row < rows; row++)
        detections.push(...detectionsOf(truth, predictions, targets, row, rows));
      scores = undefined;
    },
    result() {
      return Object.assign({}, ...[...scored()].map(([each, found]) => metricValues(each, found)));
    },
    files: () => ({
      'detections.json': resultsText(detections),
      'average-precision.json': `${JSON.stringify(Object.fromEntries([...scored()].map(([each, found]) => [each, inFull(found)])), null, 2)}\n`,
    }),
  };
}

/** A number that no object counts for is said to have none. */
function inFull({ perCategory, precisionAt50, ...numbers }: InstanceScores) {
  const said = (values: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value ?? 'no object']));
  return {
    ...said(numbers),
    perCategory: perCategory.map(said),
    precisionAt50: precisionAt50 ?? 'no object',
  };
}
