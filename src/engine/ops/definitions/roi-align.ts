/** RoIAlign in TensorFlow's operations: each bin is a weighted mean of rows and columns, so all are products of matrices. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../../data-type.js';
import { tf } from '../../load.js';
import { bools, differentiable, execute, type } from '../../operation.js';
import type { RoiAlignOptions } from '../detection-options.js';
import { binWeights, mostSamples } from './axis-weights.js';

/** Numbers that a group of boxes may need at once. */
const mostNumbers = 2 ** 24;

/** One group's boxes with one image of one level: what both directions need of it. */
interface Part {
  level: number;
  image: number;
  first: number;
  count: number;
  /** `[count · size, H]` */
  rows: Tensor;
  /** `[count, 1, size, W]` */
  columns: Tensor;
}

/** @param features `[N, H, W, C]` of each level @returns `[R, size, size, C]` */
export function roiAlignDefinition(features: Tensor[], options: RoiAlignOptions): Tensor {
  const { boxes, image, level, size } = options;
  const channels = features[0].shape[3]!;
  return differentiable(
    features,
    (...maps) => {
      const sums = new Map<number, Tensor>();
      for (const part of partsOf(maps, { ...options, boxes, image, level })) {
        const map = imageOf(maps[part.level], part.image);
        const [height, width] = map.shape;
        const wide = tf.matMul(part.rows, map.reshape([height, width! * channels]));
        const own = product(part.columns, wide.reshape([part.count, size, width!, channels]), false);
        sums.set(part.first, sums.get(part.first)?.add(own) ?? own);
      }
      const bins = [...sums.values()];
      const none = tf.zeros([0, size, size, channels]);
      return { value: bins.length > 0 ? tf.concat(bins, 0) : none, saved: [...maps, boxes, image, level] };
    },
    (gradient, saved) => {
      const maps = saved.slice(0, features.length);
      const [boxes, image, level] = saved.slice(features.length);
      const sums = maps.map((map) => Array.from<Tensor | undefined>({ length: map.shape[0] }));
      for (const part of partsOf(maps, { ...options, boxes, image, level })) {
        const [, height, width] = maps[part.level].shape;
        const dy = gradient.slice([part.first, 0, 0, 0], [part.count, size, size, channels]);
        const wide = product(part.columns, dy, true).reshape([part.count * size, width! * channels]);
        const dx = tf.matMul(part.rows, wide, true).reshape([1, height, width!, channels]);
        sums[part.level][part.image] = sums[part.level][part.image]?.add(dx) ?? dx;
      }
      return sums.map((images, at) =>
        boxes.shape[0] > 0 ? tf.concat(images as Tensor[], 0) : tf.zerosLike(maps[at]),
      );
    },
  );
}

function* partsOf(maps: Tensor[], options: RoiAlignOptions): Generator<Part> {
  const { boxes, image, level, scales, size } = options;
  const [all, channels] = [boxes.shape[0], maps[0].shape[3]!];
  const sizes = maps.map(({ shape: [, height, width] }, at) => ({
    scale: scales[at],
    height: height!,
    width: width!,
  }));
  const numbers = sizes.map((map) => {
    const samples = mostSamples(options, map) * Math.max(map.height, map.width);
    return size * Math.max(map.width * channels, samples);
  });
  const group = Math.max(1, Math.floor(mostNumbers / Math.max(...numbers)));
  for (let first = 0; first < all; first += group) {
    const count = Math.min(group, all - first);
    const some = boxes.slice([first, 0], [count, 4]);
    const [ofImage, ofLevel] = [image, level].map((each) => each.slice([first], [count]));
    for (const [at, map] of sizes.entries()) {
      const { rows, columns } = binWeights(some, options, map);
      for (let number = 0; number < maps[at].shape[0]; number++) {
        const own = ofLevel
          .equal(at)
          .logicalAnd(ofImage.equal(number))
          .cast('float32')
          .reshape([count, 1, 1]);
        yield {
          level: at,
          image: number,
          first,
          count,
          rows: rows.mul(own).reshape([count * size, map.height]),
          columns: columns.expandDims(1),
        };
      }
    }
  }
}

const imageOf = (map: Tensor, image: number): Tensor =>
  map.slice([image, 0, 0, 0], [1, -1, -1, -1]).squeeze([0]);

/** Products of the last two dimensions, each of the boxes with its own. */
function product(columns: Tensor, rows: Tensor, transposed: boolean): Tensor {
  const attributes = [type('T', DataType.float), bools('adj_x', transposed), bools('adj_y', false)];
  return execute('BatchMatMulV2', attributes, [columns, rows])[0];
}
