/** The options of detection's operations, which their kernels and their definitions share. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';

export interface RoiAlignOptions {
  /** The boxes `[R, 4]`; no gradient flows to them. */
  boxes: Tensor;
  /** The image that each is of, `[R]` int32. */
  image: Tensor;
  /** The feature map that each takes its bins from, `[R]` int32; −1: none, its bins are 0. */
  level: Tensor;
  /** A map's pixels an image's pixel, for each map: 1/4, 1/8, … */
  scales: number[];
  /** The sides of the result, in bins. */
  size: number;
  /** Samples a bin and side; 0: as many as the bin has pixels. */
  sampling: number;
  /** Pixels are points at their centres; the code that the paper used shifts them by half a pixel (false). */
  aligned: boolean;
}

export interface SuppressionOptions {
  /** A box goes that overlaps a better one of its group by more than this, as intersection over union. */
  threshold: number;
  /** By just as much is too much, too. */
  inclusive?: boolean;
  /** Only boxes with a score above it are looked at. */
  minScore: number;
  /** Boxes an image that are kept at the most. */
  limit: number;
}

export interface MatchOptions {
  /** With an overlap below it a candidate is background. */
  low: number;
  /** From it on a candidate is an object's; between the two it is ignored. */
  high: number;
  /** The candidates that overlap an object most are its own, whatever the overlap; ties included. */
  bestOfEach: boolean;
  /** A background candidate of which a larger share lies in a crowd is ignored. */
  crowdOverlap: number;
}

export interface MaskTargetOptions {
  /** The boxes `[R, 4]`, the image and the object that each is of, `[R]` int32; object −1: none, its target is 0. */
  boxes: Tensor;
  image: Tensor;
  object: Tensor;
  /** The sides of a target, in pixels. */
  size: number;
  /** The height of the images that the masks cover. */
  height: number;
  width: number;
  /** Pixels are points at their centres, as they are when a mask is put back into its image; else half a pixel off. */
  aligned: boolean;
}
