/** A step's predictions as detections: boxes and masks are taken back from the canvas to the image as it was. */
import type { Detection } from '../../coco/detections.js';
import type { Instances } from '../../coco/instances.js';
import type { Batch } from '../../input/batch.js';
import { pasteMask } from './paste-mask.js';

/**
 * The detections of a batch's row.
 *
 * @param predictions `boxes` `[N, D, 4]` in the canvas's pixels, `scores`, `classes` (from 1 on) and `valid` `[N, D]`,
 *   and `masks` `[N, D, S, S]`, 0 to 1, within the boxes
 * @param targets `image` and `size`, as `objectArrays` has them
 */
export function detectionsOf(
  { images, categories }: Pick<Instances, 'images' | 'categories'>,
  { boxes, scores, classes, valid, masks }: Batch,
  targets: Batch,
  row: number,
  rows: number,
): Detection[] {
  const image = images[targets.image[row]];
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
      category: categories[classes[at] - 1].id,
      score: scores[at],
      box: [corners[0], corners[1], corners[2] - corners[0], corners[3] - corners[1]],
      ...(masks && {
        mask: pasteMask(masks.subarray(at * pixels, (at + 1) * pixels), Math.sqrt(pixels), corners, image),
      }),
    });
  }
  return found;
}
