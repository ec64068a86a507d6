/** Non-maximum suppression within groups by TensorFlow's operation, which knows no groups. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../../data-type.js';
import { tf } from '../../load.js';
import { bools, execute, type } from '../../operation.js';
import type { SuppressionOptions } from '../detection-options.js';

/**
 * Groups are set apart on a square grid, where none overlaps another. Coordinates there have fewer bits after the
 * point, so that a pair of boxes just at the threshold can be judged otherwise than by the kernel; in one group, never.
 */
export function suppressDefinition(
  boxes: Tensor,
  scores: Tensor,
  group: Tensor,
  { threshold, inclusive = false, minScore, limit }: SuppressionOptions,
): { kept: Tensor; valid: Tensor } {
  const [images, count] = scores.shape as [number, number];
  const finite = tf.where(boxes.isFinite(), boxes, tf.zerosLike(boxes));
  const pitch = finite.abs().max().mul(2).add(1).ceil();
  const number = group.cast('float32');
  const side = number.max().add(1).sqrt().ceil();
  const row = number.div(side).floor();
  const middle = side.sub(1).div(2);
  const shifts = [number.sub(row.mul(side)), row].map((each) => each.sub(middle).mul(pitch));
  const apart = finite.add(tf.stack([...shifts, ...shifts], -1));
  const attributes = [
    type('T', DataType.float),
    type('T_threshold', DataType.float),
    bools('pad_to_max_output_size', true),
  ];
  const limits = [
    tf.scalar(limit, 'int32'),
    tf.scalar(inclusive ? below(threshold) : threshold),
    tf.scalar(minScore),
  ];
  const each = Array.from({ length: images }, (_, image) => {
    const own = apart.slice([image, 0, 0], [1, count, 4]).reshape([count, 4]);
    const score = scores.slice([image, 0], [1, count]).reshape([count]);
    const [indices, found] = execute('NonMaxSuppressionV4', attributes, [own, score, ...limits], 2);
    const isThere = tf.range(0, limit, 1, 'int32').less(found);
    return { kept: tf.where(isThere, indices, tf.fill([limit], -1, 'int32')), found };
  });
  return { kept: tf.stack(each.map(({ kept }) => kept)), valid: tf.stack(each.map(({ found }) => found)) };
}

/** The largest float32 below a positive one: more than it is as much as the threshold, or more. */
function below(threshold: number): number {
  const value = Float32Array.of(threshold);
  if (threshold > 0) new Int32Array(value.buffer)[0]--;
  return value[0];
}
