/** The anchors of all of a detector's maps, and what its layers say of them, in one order. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { tf } from '../../engine/load.js';
import { anchorsOf } from '../../engine/ops/anchors.js';
import type { MapOfFeatures } from '../../models/detection/settings.js';
import type { Tensors } from '../task.js';

export interface AnchorOptions {
  maps: readonly MapOfFeatures[];
  ratios: readonly number[];
  rounded: boolean;
}

/** One map's anchors `[A, 4]`, and of every image their logits `[N, A]` and shifts `[N, A, 4]`. */
export interface OfMap {
  anchors: Tensor;
  logits: Tensor;
  shifts: Tensor;
}

export function ofMaps(outputs: Tensors, { maps, ratios, rounded }: AnchorOptions): OfMap[] {
  return maps.map(({ name, stride, sizes }) => {
    const logits = outputs[`${name}.logits`];
    const [images, height, width] = logits.shape;
    const anchors = anchorsOf({ height: height!, width: width!, stride, sizes, ratios, rounded });
    const count = anchors.length / 4;
    return {
      anchors: tf.tensor2d(anchors, [count, 4]),
      logits: logits.reshape([images, count]),
      shifts: outputs[`${name}.shifts`].reshape([images, count, 4]),
    };
  });
}

/** The same of all maps, one after the other. */
export function together(each: readonly OfMap[]): OfMap {
  return {
    anchors: tf.concat(
      each.map(({ anchors }) => anchors),
      0,
    ),
    logits: tf.concat(
      each.map(({ logits }) => logits),
      1,
    ),
    shifts: tf.concat(
      each.map(({ shifts }) => shifts),
      1,
    ),
  };
}
