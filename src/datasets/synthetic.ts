/**
 * A classification problem that needs no download: shapes of ten kinds, drawn at random places, sizes, angles and
 * colours, lighter or darker than an uneven ground, among small distractors and under noise. What a pixel's value is
 * says next to nothing, so a linear classifier stays far below 60 %; a small ResNet learns it within a minute.
 *
 * Drawn with additions, multiplications, divisions and square roots only, which every machine rounds alike: the same
 * bytes everywhere.
 */
import { createHash } from 'node:crypto';
import { Draws } from '../random/random.js';
import { chosenClasses, namesOfClasses, relabel } from './classes.js';
import { type Dataset, emptySplit, type Split } from './dataset.js';
import { pixelStatistics } from './pixel-statistics.js';
import type { DataConfig } from './schema.js';
import { chooseImages } from './subset.js';
import { shapes } from './synthetic-shapes.js';

/** Images of each split before any subset is taken. */
export const syntheticSizes = { train: 2048, validation: 1024 } as const;

const side = 32;
const pixels = side * side;
// Not the run's seed: every run sees the same problem.
const drawingSeed = 180_308_494;
const draws = new Draws(0, 'drawing');

/** The shapes that an image may show, by name. */
export const syntheticClasses = { count: shapes.length, names: shapes.map(({ name }) => name) };

/** Which shape each image of a split shows. */
export const syntheticLabels = (count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, index) => index % shapes.length);

/** The synthetic data set, or the part of it that `config` asks for. */
export function drawSynthetic(config: DataConfig): Dataset {
  const classes = chosenClasses(config.classes, syntheticClasses);
  const labels = (count: number) => relabel(syntheticLabels(count), classes);
  const { train, validation } = chooseImages(
    config,
    labels(syntheticSizes.train),
    labels(syntheticSizes.validation),
  );
  const dataset = {
    train: drawSplit(1, train, classes),
    validation: drawSplit(validation.from === 'train' ? 1 : 2, validation.indices, classes),
  };
  const sha256 = (split: Split) => createHash('sha256').update(split.images).digest('hex');
  return {
    name: 'synthetic',
    classes: classes.length,
    classNames: namesOfClasses(classes, syntheticClasses),
    shape: [side, side, 3],
    ...pixelStatistics('synthetic'),
    ...dataset,
    checksums: { train: sha256(dataset.train), validation: sha256(dataset.validation) },
    official: true,
  };
}

function drawSplit(part: number, indices: Uint32Array, classes: readonly number[]): Split {
  const split = emptySplit(indices.length, pixels * 3);
  indices.forEach((index, at) => {
    const shape = index % shapes.length;
    split.labels[at] = classes.indexOf(shape);
    draws.restart(drawingSeed, 'drawing', part, index);
    drawInto(split.images, at * pixels * 3, shape);
  });
  return split;
}

type Colour = [number, number, number];
const canvas = new Float64Array(pixels * 3);

/** Draws one image of the class with the numbers that `draws` gives next. */
function drawInto(out: Uint8Array, offset: number, label: number): void {
  const ground: Colour = [draws.between(60, 196), draws.between(60, 196), draws.between(60, 196)];
  fillGround(ground);
  const few = draws.below(3);
  for (let i = 0; i < few; i++) drawDistractor(ground);
  const radius = draws.between(8, 11);
  const centre = () => draws.between(11, 21);
  // A turn of up to ±11° by the half angle's tangent, which needs no sine.
  const half = draws.between(-0.1, 0.1);
  const cosine = (1 - half * half) / (1 + half * half);
  const sine = (2 * half) / (1 + half * half);
  paint(shapes[label].field, centre(), centre(), radius, cosine, sine, contrasting(ground, 60, 110));
  for (let at = 0; at < canvas.length; at += 4) {
    // Four noises of one draw: -24 … 24 around the painted value.
    const noise = draws.next();
    for (let i = 0; i < 4; i++) {
      const value = canvas[at + i] + (((noise >>> (8 * i)) & 255) - 127.5) * 0.19;
      out[offset + at + i] = Math.max(0, Math.min(255, Math.round(value)));
    }
  }
}

/** A colour that differs from `from` by `least` to `greatest` in each channel, two channels of three the same way. */
function contrasting(from: Colour, least: number, greatest: number): Colour {
  const sign = draws.below(2) === 1 ? 1 : -1;
  const odd = draws.below(4);
  return from.map((value, channel) => {
    const by = draws.between(least, greatest) * (channel === odd ? -sign : sign);
    return value + by;
  }) as Colour;
}

/** The ground's colour with a slope across it and soft patches on it. */
function fillGround(colour: Colour): void {
  const slopeX = draws.between(-1.2, 1.2);
  const slopeY = draws.between(-1.2, 1.2);
  const knots = Float64Array.from({ length: 25 }, () => draws.between(-22, 22));
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const patch = between4(knots, x / 8, y / 8);
      const shade = (x - 15.5) * slopeX + (y - 15.5) * slopeY + patch;
      for (let c = 0; c < 3; c++) canvas[(y * side + x) * 3 + c] = colour[c] + shade;
    }
  }
}

/** Bilinear interpolation in a grid of 5×5 values. */
function between4(knots: Float64Array, x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const at = row * 5 + column;
  const upper = knots[at] + (knots[at + 1] - knots[at]) * (x - column);
  const lower = knots[at + 5] + (knots[at + 6] - knots[at + 5]) * (x - column);
  return upper + (lower - upper) * (y - row);
}

/** A dot or a dash, smaller than any shape. */
function drawDistractor(ground: Colour): void {
  const length = draws.between(0.3, 1);
  const field = (u: number, v: number) => Math.max(Math.abs(u) - length, Math.abs(v) - 0.45);
  const turned = draws.below(2);
  const centre = () => draws.between(2, side - 2);
  paint(field, centre(), centre(), draws.between(1.5, 3), 1 - turned, turned, contrasting(ground, 30, 90));
}

/** Paints a shape of the given radius in pixels, its edge smoothed over one pixel. */
function paint(
  field: (u: number, v: number) => number,
  centreX: number,
  centreY: number,
  radius: number,
  cosine: number,
  sine: number,
  colour: Colour,
): void {
  // The corners of a square reach √2 times as far.
  const reach = radius * 1.5;
  const from = (centre: number) => Math.max(0, Math.floor(centre - reach));
  const to = (centre: number) => Math.min(side, Math.ceil(centre + reach) + 1);
  for (let y = from(centreY); y < to(centreY); y++) {
    for (let x = from(centreX); x < to(centreX); x++) {
      const right = (x - centreX) / radius;
      const down = (y - centreY) / radius;
      const distance = field(right * cosine + down * sine, down * cosine - right * sine) * radius;
      const cover = Math.max(0, Math.min(1, 0.5 - distance));
      if (cover === 0) continue;
      const at = (y * side + x) * 3;
      for (let c = 0; c < 3; c++) canvas[at + c] += (colour[c] - canvas[at + c]) * cover;
    }
  }
}
