/**
 * Scenes of circles, boxes and triangles for a detector that needs no download: up to eight of them an image, of
 * several sizes, the later ones in front of the earlier, on an uneven ground under noise, each with its box and the
 * mask of what can be seen of it.
 *
 * Drawn with additions, multiplications, divisions and square roots only, which every machine rounds alike: the same
 * bytes everywhere.
 */
import type { Box } from '../coco/detections.js';
import { encodeMask, maskArea, maskBox, type RunLengths } from '../coco/run-length.js';
import { Draws } from '../random/random.js';

/** Categories 1, 2 and 3. */
export const sceneCategories = ['circle', 'box', 'triangle'] as const;

export interface SceneObject {
  /** From 1 on, as COCO's are. */
  category: number;
  box: Box;
  area: number;
  /** The visible part of it. */
  mask: RunLengths;
}

export interface Scene {
  /** `[side, side, 3]`, 0 to 255. */
  pixels: Uint8Array;
  objects: SceneObject[];
}

type Field = (u: number, v: number) => number;

/** Distance fields in coordinates in which the shape fills −1 … 1; below 0 inside. */
const fields: readonly Field[] = [
  (u, v) => Math.sqrt(u * u + v * v) - 1,
  (u, v) => Math.max(Math.abs(u), Math.abs(v)) - 1,
  (u, v) => Math.max((2 * Math.abs(u) - v - 1) / 2.236, v - 1),
];

// Not the run's seed: every run sees the same problem.
const drawingSeed = 180_308_495;

/** A shape that was placed: where, how large, turned by how much, of what colour. */
interface Placed {
  shape: number;
  x: number;
  y: number;
  halfWidth: number;
  halfHeight: number;
  cosine: number;
  sine: number;
  colour: number[];
}

/** The least visible share of an object for the scene to keep it where it was put. */
const leastSeen = 0.35;

/**
 * Draws one scene.
 * @param part 1 for training, 2 for validation @param index the scene's number in it @param side in pixels
 */
export function drawScene(part: number, index: number, side: number): Scene {
  const draws = new Draws(drawingSeed, 'drawing', part, index);
  const ground = [draws.between(60, 196), draws.between(60, 196), draws.between(60, 196)];
  const placed: Placed[] = [];
  // owner[pixel]: the number of the object that is seen there, plus 1.
  let owner = new Uint8Array(side * side);
  const wanted = 1 + draws.below(8);
  for (let object = 0; object < wanted; object++) {
    const next = place(draws, side, ground);
    const covered = cover(owner, next, placed.length + 1, side);
    const whole = [...placed, next].map((each) => cover(new Uint8Array(side * side), each, 1, side).seen[1]);
    if (covered.seen.slice(1).some((seen, at) => seen < leastSeen * whole[at])) continue;
    placed.push(next);
    owner = covered.owner;
  }
  return {
    pixels: paint(draws, ground, placed, owner, side),
    objects: placed.map(({ shape }, at) => {
      const mask = encodeMask(
        owner.map((number) => Number(number === at + 1)),
        side,
        side,
      );
      return { category: shape + 1, box: maskBox(mask), area: maskArea(mask), mask };
    }),
  };
}

function place(draws: Draws, side: number, ground: number[]): Placed {
  // Small ones are as frequent as large ones on a scale of ratios: 1/11 to 1/3 of the side.
  const small = draws.unit();
  const radius = side * (0.045 + 0.125 * small * small);
  const [halfWidth, halfHeight] = [radius * draws.between(0.75, 1.33), radius * draws.between(0.75, 1.33)];
  const half = draws.between(-0.35, 0.35);
  const sign = draws.below(2) === 1 ? 1 : -1;
  return {
    shape: draws.below(fields.length),
    x: draws.between(radius, side - radius),
    y: draws.between(radius, side - radius),
    halfWidth,
    halfHeight,
    cosine: (1 - half * half) / (1 + half * half),
    sine: (2 * half) / (1 + half * half),
    colour: ground.map((value) => value + sign * draws.between(40, 100)),
  };
}

/** The owners of the pixels when `placed` is put in front, and how many pixels each then has. */
function cover(before: Uint8Array, placed: Placed, number: number, side: number) {
  const owner = before.slice();
  eachPixel(placed, side, (pixel, inside) => {
    if (inside) owner[pixel] = number;
  });
  const seen = Array<number>(number + 1).fill(0);
  for (const one of owner) seen[one]++;
  return { owner, seen };
}

function eachPixel(placed: Placed, side: number, visit: (pixel: number, inside: boolean) => void): void {
  const { shape, x: cx, y: cy, halfWidth, halfHeight, cosine, sine } = placed;
  const reach = 1.5 * Math.max(halfWidth, halfHeight);
  const from = (centre: number) => Math.max(0, Math.floor(centre - reach));
  const to = (centre: number) => Math.min(side, Math.ceil(centre + reach) + 1);
  for (let y = from(cy); y < to(cy); y++) {
    for (let x = from(cx); x < to(cx); x++) {
      const [right, down] = [x + 0.5 - cx, y + 0.5 - cy];
      const u = (right * cosine + down * sine) / halfWidth;
      const v = (down * cosine - right * sine) / halfHeight;
      visit(y * side + x, fields[shape](u, v) < 0);
    }
  }
}

function paint(
  draws: Draws,
  ground: number[],
  placed: Placed[],
  owner: Uint8Array,
  side: number,
): Uint8Array {
  const [slopeX, slopeY] = [draws.between(-40, 40) / side, draws.between(-40, 40) / side];
  const pixels = new Uint8Array(side * side * 3);
  for (let pixel = 0; pixel < side * side; pixel++) {
    const shade = ((pixel % side) - side / 2) * slopeX + (Math.floor(pixel / side) - side / 2) * slopeY;
    const colour = owner[pixel] === 0 ? ground : placed[owner[pixel] - 1].colour;
    const noise = draws.next();
    for (let c = 0; c < 3; c++) {
      const value = colour[c] + shade + (((noise >>> (8 * c)) & 255) - 127.5) * 0.16;
      pixels[pixel * 3 + c] = Math.max(0, Math.min(255, Math.round(value)));
    }
  }
  return pixels;
}
