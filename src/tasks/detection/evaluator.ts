/**
 * Average precision of a detector's predictions over a split. A step gives as many predictions for every image, of
 * which those count that `valid` marks.
 */
import type { Detection } from '../../coco/detections.js';
import type { Instances } from '../../coco/instances.js';
import { resultsText } from '../../coco/results-file.js';
import { type InstanceScores, scoreInstances } from '../../coco/score-instances.js';
import type { Sides } from '../../datasets/detection/canvas.js';
import type { Evaluator } from '../task.js';
import { detectionsOf } from './detections-of.js';
import { type Comparison, metricValues } from './metrics.js';
import { examplePictures, keepImages, type SeenImage } from './pictures.js';

/** @param canvases those that the images of batches are on; without them nothing is drawn */
export function detectionEvaluator(
  truth: Instances,
  by: readonly Comparison[],
  canvases: readonly Sides[] = [],
): Evaluator {
  const seen: SeenImage[] = [];
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
      if (canvases.length > 0) keepImages(seen, targets, rows, canvases);
    },
    result() {
      return Object.assign({}, ...[...scored()].map(([each, found]) => metricValues(each, found)));
    },
    async files() {
      const pictures = seen.length > 0 ? await examplePictures(seen, truth, detections) : undefined;
      const numbers = Object.fromEntries([...scored()].map(([each, found]) => [each, inFull(found)]));
      return {
        'detections.json': resultsText(detections),
        'average-precision.json': `${JSON.stringify(numbers, null, 2)}\n`,
        ...(pictures && { 'examples.webp': pictures }),
      };
    },
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
