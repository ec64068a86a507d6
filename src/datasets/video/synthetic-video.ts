/**
 * Clips that need no download: a picture of soft patches, drawn anew for every clip, that moves in one of eight ways
 * (motions.ts). What a frame shows says nothing of its class; only the order of frames does.
 *
 * Drawn with additions, multiplications, divisions and square roots only, which every machine rounds alike: the same
 * bytes everywhere.
 */
import { createHash } from 'node:crypto';
import { Draws, shuffled } from '../../random/random.js';
import { chosenClasses, namesOfClasses, relabel } from '../classes.js';
import { type Dataset, emptySplit, type Split } from '../dataset.js';
import { pixelStatistics } from '../pixel-statistics.js';
import type { SyntheticVideoConfig } from '../schema.js';
import { chooseImages } from '../subset.js';
import { drawMotion, motions, placements, type Sampler } from './motions.js';

/** Clips of each split before any subset is taken. */
export const syntheticVideoSizes = { train: 512, validation: 256 } as const;

// Not the run's seed: every run sees the same problem.
const drawingSeed = 180_308_496;

/** The motions that a clip may show, by name. */
export const motionClasses = { count: motions.length, names: motions };

const motionOf = (index: number): number => index % motions.length;

/** The motion of each clip of a split. */
export const motionLabels = (count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, index) => motionOf(index));

/** The data set, or the part of it that `config` asks for. */
export function drawSyntheticVideo(config: SyntheticVideoConfig): Dataset {
  const { frames, side } = config;
  const classes = chosenClasses(config.classes, motionClasses);
  const labels = (count: number) => relabel(motionLabels(count), classes);
  const { train, validation } = chooseImages(
    config,
    labels(syntheticVideoSizes.train),
    labels(syntheticVideoSizes.validation),
  );
  const splits = {
    train: drawSplit(1, train, classes, config),
    validation: drawSplit(validation.from === 'train' ? 1 : 2, validation.indices, classes, config),
  };
  const sha256 = (split: Split) => createHash('sha256').update(split.images).digest('hex');
  return {
    name: config.name,
    classes: classes.length,
    classNames: namesOfClasses(classes, motionClasses),
    shape: [frames, side, side, 3],
    ...pixelStatistics(config.name),
    ...splits,
    checksums: { train: sha256(splits.train), validation: sha256(splits.validation) },
    official: true,
  };
}

function drawSplit(
  part: number,
  indices: Uint32Array,
  classes: readonly number[],
  { frames, side, frameOrder }: SyntheticVideoConfig,
): Split {
  const frameSize = side * side * 3;
  const split = emptySplit(indices.length, frames * frameSize);
  indices.forEach((index, at) => {
    split.labels[at] = classes.indexOf(motionOf(index));
    const clip = drawClip(part, index, frames, side);
    const order =
      frameOrder === 'shuffled'
        ? shuffled(frames, new Draws(drawingSeed, 'frameOrder', part, index))
        : Uint32Array.from({ length: frames }, (_, frame) => frame);
    order.forEach((frame, place) => {
      split.images.set(
        clip.subarray(frame * frameSize, (frame + 1) * frameSize),
        (at * frames + place) * frameSize,
      );
    });
  });
  return split;
}

/**
 * Draws one clip.
 * @param part 1 for training, 2 for validation @param index the clip's number in it
 * @returns `[frames, side, side, 3]`, 0 to 255
 */
export function drawClip(part: number, index: number, frames: number, side: number): Uint8Array {
  const draws = new Draws(drawingSeed, 'drawing', part, index);
  const moved = placements(motionOf(index), frames, side, draws);
  const pixels = new Uint8Array(frames * side * side * 3);
  drawMotion(patches(draws, side), moved, side, draws, 8, pixels, 0);
  return pixels;
}

/** The sides of the grid of colours, which repeats: a frame covers about six of its cells. */
const cells = 16;

/** A picture without an edge: random colours on a grid, with smooth changes between. */
function patches(draws: Draws, side: number): Sampler {
  const colours = Float64Array.from({ length: cells * cells * 3 }, () => draws.between(20, 236));
  const [left, top] = [draws.between(0, cells), draws.between(0, cells)];
  const scale = 6 / side;
  return (x, y, out) => {
    const [column, row] = [x * scale + left, y * scale + top];
    const [firstColumn, firstRow] = [Math.floor(column), Math.floor(row)];
    const [u, v] = [smooth(column - firstColumn), smooth(row - firstRow)];
    const cell = (dx: number, dy: number) => (wrap(firstRow + dy) * cells + wrap(firstColumn + dx)) * 3;
    const [a, b, c, d] = [cell(0, 0), cell(1, 0), cell(0, 1), cell(1, 1)];
    for (let channel = 0; channel < 3; channel++) {
      const upper = colours[a + channel] + (colours[b + channel] - colours[a + channel]) * u;
      const lower = colours[c + channel] + (colours[d + channel] - colours[c + channel]) * u;
      out[channel] = upper + (lower - upper) * v;
    }
  };
}

const wrap = (cell: number) => ((cell % cells) + cells) % cells;
const smooth = (t: number) => t * t * (3 - 2 * t);
