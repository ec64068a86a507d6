/**
 * Boxes as a detector's layers give them: shifts of the centre and logarithms of the sides, relative to a reference, an
 * anchor or a proposal (Girshick et al. 2014, arXiv 1311.2524, appendix C). Boxes are `[…, 4]`: left, top, right,
 * bottom, in pixels, without the "+ 1" in widths of the code that the paper used.
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { type Kernels, kernels } from '../kernel-table.js';
import { tf } from '../load.js';
import { execute, floats } from '../operation.js';

/** Factors of the shifts in x and y and of the logarithms of width and height: about one over their deviation. */
export type BoxWeights = readonly [number, number, number, number];

/** No step enlarges a side by more than this, so that exp() cannot overflow. */
const mostGrowth = Math.log(1000 / 16);

/** A shorter side counts as one of this length, so that a box without an area, such as padding, has finite codes. */
const leastSide = 1e-3;

/** @returns what the layers are to give, `[…, 4]`; no gradient is wanted of it */
export function encodeBoxes(boxes: Tensor, references: Tensor, weights: BoxWeights): Tensor {
  const [from, to] = [centred(references), centred(boxes)];
  const shifts = to.centre.sub(from.centre).div(from.sides);
  const growths = to.sides.div(from.sides).log();
  return tf.concat([shifts, growths], -1).mul(factorsOf(weights, boxes.rank));
}

/** The boxes that codes stand for; the inverse of `encodeBoxes`. A gradient flows to the codes. */
export function decodeBoxes(codes: Tensor, references: Tensor, weights: BoxWeights): Tensor {
  const { centre, sides } = centred(references);
  const [shifts, growths] = halves(codes.div(factorsOf(weights, codes.rank)));
  const middle = centre.add(shifts.mul(sides));
  const half = growths.minimum(mostGrowth).exp().mul(sides).mul(0.5);
  return tf.concat([middle.sub(half), middle.add(half)], -1);
}

/**
 * Cuts boxes off at the border of their image.
 * @param boxes `[N, K, 4]` @param sizes each image's height and width, `[N, 2]`
 */
export function clipBoxes(boxes: Tensor, sizes: Tensor): Tensor {
  const [height, width] = tf.split(sizes.expandDims(1), 2, -1);
  return boxes.maximum(0).minimum(tf.concat([width, height, width, height], -1));
}

/**
 * The boxes that codes stand for, cut off at the border of their image; no gradient flows.
 * @param codes `[N, K, 4]`, or `[N, K, R, 4]` with R codes a reference
 * @param references `[N, K, 4]`, or `[1, K, 4]` for all images
 * @param sizes each image's height and width, `[N, 2]`
 * @returns `[N, K · R, 4]`
 */
export function clippedBoxes(
  codes: Tensor,
  references: Tensor,
  weights: BoxWeights,
  sizes: Tensor,
  use: Kernels = kernels('kernels'),
): Tensor {
  const [images, count] = codes.shape as [number, number];
  const each = codes.rank === 4 ? codes.shape[2]! : 1;
  const grouped = codes.reshape([images, count, each, 4]);
  if (use.boxDecoding) {
    const attributes = [
      floats('weights', [...weights]),
      floats('least_side', leastSide),
      floats('most_growth', mostGrowth),
    ];
    return execute('GnbenchDecodeBoxes', attributes, [grouped, references, sizes])[0];
  }
  const boxes = decodeBoxes(grouped, references.expandDims(2), weights);
  return clipBoxes(boxes.reshape([images, count * each, 4]), sizes);
}

/** The first and the last two numbers of each row. */
const halves = (rows: Tensor): Tensor[] => tf.split(rows, 2, -1);

function centred(boxes: Tensor): { centre: Tensor; sides: Tensor } {
  const [first, second] = halves(boxes);
  return { centre: first.add(second).mul(0.5), sides: second.sub(first).maximum(leastSide) };
}

const factorsOf = (weights: BoxWeights, rank: number): Tensor =>
  tf.tensor([...weights], [...Array(rank - 1).fill(1), 4]);
