/**
 * Eight motions in four pairs, each the other played backwards: left and right, up and down, in and out, the two turns.
 * Time runs from −1 to 1 and everything that is drawn at random is drawn for its middle, so a clip and its reverse are
 * equally likely: no single frame, and no set of frames without their order, tells the two of a pair apart.
 */
import type { Draws } from '../../random/random.js';

/** Classes 2k and 2k + 1 are a pair. */
export const motions = ['right', 'left', 'down', 'up', 'in', 'out', 'clockwise', 'counterclockwise'] as const;

/** The source of a pixel's colour: `x' = a·x + b·y + left`, `y' = c·x + d·y + top`, relative to the frame's centre. */
export interface Placement {
  a: number;
  b: number;
  c: number;
  d: number;
  left: number;
  top: number;
}

/**
 * The placements of a clip's frames.
 * @param motion a class @param side of a frame, in pixels: lengths are in proportion to it
 * @returns one a frame; the same numbers of `draws` give a pair's other class the same frames in reverse
 */
export function placements(motion: number, frames: number, side: number, draws: Draws): Placement[] {
  const kind = motion >> 1;
  const speed = draws.between(0.14, 0.26);
  // A slow drift in any direction, a tilt and a scale of the whole clip, so that frames differ from clip to clip.
  const [driftX, driftY] = [draws.between(-0.03, 0.03), draws.between(-0.03, 0.03)];
  const tilt = draws.between(-0.2, 0.2);
  const size = draws.between(0.85, 1.15);
  return Array.from({ length: frames }, (_, frame) => {
    const time = frames === 1 ? 0 : ((2 * frame) / (frames - 1) - 1) * (motion % 2 === 0 ? 1 : -1);
    const along = speed * time;
    const zoom = size * (kind === 2 ? (1 - along) / (1 + along) : 1);
    const half = tilt + (kind === 3 ? along : 0); // the tangent of half the angle: needs no sine
    const cosine = (1 - half * half) / (1 + half * half);
    const sine = (2 * half) / (1 + half * half);
    return {
      a: zoom * cosine,
      b: zoom * sine,
      c: -zoom * sine,
      d: zoom * cosine,
      left: side * (driftX * time - (kind === 0 ? along : 0)),
      top: side * (driftY * time - (kind === 1 ? along : 0)),
    };
  });
}

/** A picture to be moved: colours of a point, which may lie outside of it, into `out`. */
export type Sampler = (x: number, y: number, out: Float64Array) => void;

/**
 * Draws a clip of a picture that moves.
 * @param pixels `[frames, side, side, 3]`, filled from `offset` on
 * @param noise the standard deviation of what is added to each value, from −√3 to √3 of it
 */
export function drawMotion(
  picture: Sampler,
  moved: readonly Placement[],
  side: number,
  draws: Draws,
  noise: number,
  pixels: Uint8Array,
  offset: number,
): void {
  const colour = new Float64Array(3);
  const spread = (noise * Math.sqrt(12)) / 256;
  const middle = (side - 1) / 2;
  let at = offset;
  for (const { a, b, c, d, left, top } of moved) {
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const [x, y] = [column - middle, row - middle];
        picture(a * x + b * y + left, c * x + d * y + top, colour);
        const bits = noise > 0 ? draws.next() : 0;
        for (let channel = 0; channel < 3; channel++) {
          const added = noise > 0 ? (((bits >>> (8 * channel)) & 255) - 127.5) * spread : 0;
          pixels[at++] = Math.max(0, Math.min(255, Math.round(colour[channel] + added)));
        }
      }
    }
  }
}
