/**
 * Average precision of a detector's predictions over a split. A step gives as many predictions for every image, of
 * which those count that `valid` marks; boxes and masks are taken back from the canvas to the image as it was
 * annotated.
 *
 * Predictions: `boxes` `[N, D, 4]` in the canvas's pixels, `scores`, `classes` (from 1 on) and `valid` `[N, D]`, and
 * `masks` `[N, D, S, S]`, 0 to 1, within the boxes. Targets: `image` and `size`, as `objectArrays` has them.
 */
import type { Detection } from '../../coco/detections.js';
import type { Instances } from '../../coco/instances.js';
import { resultsText } from '../../coco/results-file.js';
import { type InstanceScores, scoreInstances } from '../../coco/score-instances.js';
import type { Batch } from '../../input/batch.js';
import type { Evaluator } from '../task.js';
import { type Comparison, metricValues } from './metrics.js';
import { pasteMask } from './paste-mask.js';

export function detectionEvaluator(truth: Instances, by: readonly Comparison[]): Evaluator {
  const detections: Detection[] = [];
  let scores: Map<Comparison, InstanceScores> | undefined;
  const scored = () => {
    scores ??= new Map(by.map((each) => [each, scoreInstances(each, truth, detections)]));
    return scores;
  };
  return {
    add(predictions, targets, rows) {
      for (let row = 0; row < rows; row++) detections.push(...detectionsOf(predictions, targets, row, rows));
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

  function detectionsOf(predictions: Batch, targets: Batch, row: number, rows: number): Detection[] {
    const { boxes, scores, classes, valid, masks } = predictions;
    const image = truth.images[targets.image[row]];
    const most = valid.length / rows;
    const across = image.width / targets.size[2 * row + 1];
    const down = image.height / targets.size[2 * row];
    const found: Detection[] = [];
    for (let at = row * most; at < (row + 1) * most; at++) {
      if (!valid[at]) continue;
      const [left, top, right, bottom] = boxes.subarray(4 * at, 4 * at + 4);
      const within = (value: number, extent: number) => Math.max(0, Math.min(extent, value));
      const corners = [
        within(left * across, image.width),
        within(top * down, image.height),
        within(right * across, image.width),
        within(bottom * down, image.height),
      ] as const;
      const pixels = masks ? masks.length / valid.length : 0;
      found.push({
        image: image.id,
        category: truth.categories[classes[at] - 1].id,
        score: scores[at],
        box: [corners[0], corners[1], corners[2] - corners[0], corners[3] - corners[1]],
        ...(masks && {
          mask: pasteMask(masks.subarray(at * pixels, (at + 1) * pixels), Math.sqrt(pixels), corners, image),
        }),
      });
    }
    return found;
  }
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
