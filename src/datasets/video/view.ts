/**
 * The part of a video that a network sees, in training and as one of the views of an evaluation, after the code that
 * the paper used: `frames` frames, `interval` apart, of one square, which all of them share.
 */
import type { Draws } from '../../random/random.js';
import type { VideoFolderConfig } from '../schema.js';

/** A square of the video's frames, in their pixels, and which frames. */
export interface View {
  frames: number[];
  left: number;
  top: number;
  side: number;
  flip: boolean;
}

export interface Sampling extends Pick<VideoFolderConfig, 'frames' | 'interval' | 'resolution' | 'jitter'> {}

/** The video: its number of frames and their size. */
export interface Extent {
  count: number;
  width: number;
  height: number;
}

/** Scaling to 256 before cropping 224. */
const margin = 256 / 224;

/** The shorter side that files are decoded to: the largest that is asked for. */
export const decodedSide = ({ resolution, jitter }: Pick<Sampling, 'resolution' | 'jitter'>): number =>
  Math.round(resolution * margin * (1 + jitter));

/** Training: a random start, scale, square and side. */
export function randomView(extent: Extent, sampling: Sampling, draws: Draws): View {
  const { frames, interval, jitter } = sampling;
  const start = draws.below(Math.max(0, extent.count - frames * interval) + 1);
  const side = squareSide(extent, margin * (1 + draws.between(0, jitter)));
  const left = draws.below(extent.width - side + 1);
  const top = draws.below(extent.height - side + 1);
  return { frames: framesFrom(start, extent, sampling), left, top, side, flip: draws.below(2) === 1 };
}

/**
 * Evaluation: one of clips × crops views, the crops of a clip one after another. Clips are spread from the beginning to
 * the end, crops along the longer side; a single one is in the middle.
 */
export function gridView(
  extent: Extent,
  sampling: Sampling,
  { clips, crops }: { clips: number; crops: number },
  view: number,
): View {
  const { frames, interval } = sampling;
  const latest = Math.max(0, extent.count - frames * interval);
  const start = Math.round(latest * share(Math.floor(view / crops), clips));
  const side = squareSide(extent, margin);
  const along = share(view % crops, crops);
  const wide = extent.width >= extent.height;
  const left = Math.round((extent.width - side) * (wide ? along : 0.5));
  const top = Math.round((extent.height - side) * (wide ? 0.5 : along));
  return { frames: framesFrom(start, extent, sampling), left, top, side, flip: false };
}

const share = (index: number, of: number): number => (of === 1 ? 0.5 : index / (of - 1));

const squareSide = ({ width, height }: Extent, scaled: number): number =>
  Math.max(1, Math.round(Math.min(width, height) / scaled));

/** Behind its last frame a video begins again. */
const framesFrom = (start: number, { count }: Extent, { frames, interval }: Sampling): number[] =>
  Array.from({ length: frames }, (_, index) => (start + index * interval) % count);
