/** The targets of a mask head in TensorFlow's operations: masks are unpacked whole, then averaged into bins. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../../data-type.js';
import { tf } from '../../load.js';
import { bools, execute, type } from '../../operation.js';
import type { MaskTargetOptions } from '../detection-options.js';
import { rowsAt } from '../gather-rows.js';
import { binWeights, mostSamples } from './axis-weights.js';

/** Numbers that a group of boxes may need at once. */
const mostNumbers = 2 ** 24;

/** @param runs `[N, runs]` int32 @param start `[N, G + 1]` int32 @returns `[R, size, size]` */
export function maskTargetsDefinition(runs: Tensor, start: Tensor, options: MaskTargetOptions): Tensor {
  const { boxes, image, object, size, height, width, aligned } = options;
  const bins = { size, sampling: 0, aligned };
  const map = { scale: 1, height, width };
  const samples = size * mostSamples(bins, map) * Math.max(height, width);
  const group = Math.max(1, Math.floor(mostNumbers / Math.max(height * width, samples, runs.shape[1]!)));
  const all = boxes.shape[0];
  const targets: Tensor[] = [];
  for (let first = 0; first < all; first += group) {
    const count = Math.min(group, all - first);
    const [ofImage, ofObject] = [image, object].map((each) => each.slice([first], [count]));
    const masks = unpacked(runs, start, ofImage, ofObject, height * width).reshape([count, width, height]);
    const { rows, columns } = binWeights(boxes.slice([first, 0], [count, 4]), bins, map);
    const high = product(columns, masks, false);
    targets.push(product(rows, high, true));
  }
  return tf.concat(targets, 0);
}

/** Each box's mask, column after column, `[R, pixels]`; of object −1, nothing. */
function unpacked(runs: Tensor, start: Tensor, image: Tensor, object: Tensor, pixels: number): Tensor {
  const [count, length] = [image.shape[0], runs.shape[1]!];
  const isThere = object.greaterEqual(0);
  const own = tf.where(isThere, object, tf.zerosLike(object));
  const ofImage = tf.where(isThere, image, tf.zerosLike(image));
  const starts = start.flatten();
  const at = ofImage.mul(tf.scalar(start.shape[1]!, 'int32')).add(own);
  const bound = (index: Tensor) => rowsAt(starts, index).expandDims(1);
  const number = tf.range(0, length, 1, 'int32').expandDims(0);
  const isOwn = number
    .greaterEqual(bound(at))
    .logicalAnd(number.less(bound(at.add(tf.scalar(1, 'int32')))))
    .logicalAnd(isThere.expandDims(1));
  const counts = rowsAt(runs, ofImage);
  const lengths = tf.where(isOwn, counts, tf.zerosLike(counts)).cast('float32');
  // Pixels change at the end of each run: what is odd in number is inside. Whole numbers below 2^24 are exact.
  const ends = tf.cumsum(lengths, 1).cast('int32').minimum(tf.scalar(pixels, 'int32'));
  const first = tf
    .range(0, count, 1, 'int32')
    .mul(tf.scalar(pixels + 1, 'int32'))
    .expandDims(1);
  const places = ends.add(first).flatten().expandDims(1);
  const changes = tf.scatterND(places, isOwn.cast('float32').flatten(), [count * (pixels + 1)]);
  const passed = tf.cumsum(changes.reshape([count, pixels + 1]), 1).slice([0, 0], [count, pixels]);
  return passed.sub(passed.mul(0.5).floor().mul(2));
}

/** Products of the last two dimensions, box by box. */
function product(a: Tensor, b: Tensor, transposed: boolean): Tensor {
  const attributes = [type('T', DataType.float), bools('adj_x', false), bools('adj_y', transposed)];
  return execute('BatchMatMulV2', attributes, [a, b])[0];
}
