/** RoIAlign's bilinear samples along one axis, as weights of the axis's pixels: a matrix for each box. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { tf } from '../../load.js';

export interface BinOptions {
  /** Bins a side. */
  size: number;
  /** Samples a bin and side; 0: as many as the bin has pixels. */
  sampling: number;
  aligned: boolean;
}

/** A map's pixels an image's pixel, and its sides. */
export interface MapSize {
  scale: number;
  height: number;
  width: number;
}

/**
 * The samples a bin that a fixed shape has room for: with `sampling` 0 those of a box as long as the map. A longer one
 * has as many, further apart.
 */
export const mostSamples = ({ size, sampling }: BinOptions, { height, width }: MapSize): number =>
  sampling > 0 ? sampling : Math.ceil(Math.max(height, width) / size) + 1;

/** @returns for each box the weights of the rows, `[R, size, height]`, and of the columns, `[R, size, width]` */
export function binWeights(
  boxes: Tensor,
  options: BinOptions,
  map: MapSize,
): { rows: Tensor; columns: Tensor } {
  const along = (axis: 0 | 1) => axisWeights(boxes, axis, options, map);
  return { rows: along(1), columns: along(0) };
}

function axisWeights(boxes: Tensor, axis: 0 | 1, options: BinOptions, map: MapSize): Tensor {
  const { size, sampling, aligned } = options;
  const length = axis === 0 ? map.width : map.height;
  const corner = (column: number) =>
    boxes
      .slice([0, column], [-1, 1])
      .mul(map.scale)
      .sub(aligned ? 0.5 : 0);
  const from = corner(axis);
  const side = corner(axis + 2).sub(from);
  const given = (aligned ? side : side.maximum(1)).div(size);
  // A box that is not finite, or larger than any image, has no samples.
  const sound = from.isFinite().logicalAnd(given.isFinite()).logicalAnd(given.less(1e6));
  const zeros = tf.zerosLike(from);
  const [start, bin] = [from, given].map((each) => tf.where(sound, each, zeros).reshape([-1, 1, 1]));
  const most = mostSamples(options, map);
  const count = (sampling > 0 ? tf.onesLike(bin).mul(sampling) : bin.ceil()).maximum(0).minimum(most);
  const number = tf.range(0, most, 1, 'float32').reshape([1, 1, most]);
  const bins = tf.range(0, size, 1, 'float32').reshape([1, size, 1]);
  const step = bin.div(count.maximum(1));
  const at = start.add(bins.mul(bin)).add(number.add(0.5).mul(step));
  const inside = number
    .less(count)
    .logicalAnd(at.greaterEqual(-1))
    .logicalAnd(at.lessEqual(length))
    .logicalAnd(sound.reshape([-1, 1, 1]));
  const share = inside.cast('float32').div(count.maximum(1));
  const place = at
    .maximum(0)
    .minimum(length - 1)
    .expandDims(-1);
  // A sample's weight falls from 1 at its own pixel to 0 at the next: linear interpolation.
  const pixels = tf.range(0, length, 1, 'float32').reshape([1, 1, 1, length]);
  const near = tf.scalar(1).sub(pixels.sub(place).abs()).relu();
  return near.mul(share.expandDims(-1)).sum(2);
}
