import { Draws, shuffled } from '../random/random.js';

/** The order in which an epoch (from 1) visits the `count` training images: a pure function of its arguments. */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  return shuffled(count, new Draws(seed, 'order', epoch));
}

/**
 * The same order taken in batches of one canvas each: a batch stands where its last example stood. As many batches as
 * without canvases: where two canvases leave a part of a batch each, the larger part is filled up with examples of its
 * canvas from the beginning of the epoch.
 *
 * @param canvases of each example
 * @returns whole batches only, one after the other
 */
export function batchedOrder(order: Uint32Array, canvases: Uint8Array, batchSize: number): Uint32Array {
  const batches = Math.floor(order.length / batchSize);
  const batched = new Uint32Array(batches * batchSize);
  const waiting = new Map<number, number[]>();
  let filled = 0;
  for (const example of order) {
    const canvas = canvases[example];
    const group = waiting.get(canvas) ?? [];
    waiting.set(canvas, group);
    group.push(example);
    if (group.length < batchSize) continue;
    batched.set(group.splice(0), filled);
    filled += batchSize;
  }
  const rests = [...waiting].sort(([a, one], [b, other]) => other.length - one.length || a - b);
  for (const [canvas, rest] of rests) {
    if (filled === batched.length) break;
    const same = order.filter((example) => canvases[example] === canvas);
    const batch = Uint32Array.from({ length: batchSize }, (_, i) =>
      i < rest.length ? rest[i] : same[(i - rest.length) % same.length],
    );
    batched.set(batch, filled);
    filled += batchSize;
  }
  return batched;
}

/** The order of an evaluation: as they are, but all examples of the first canvas before those of the second. */
export function evaluationOrder(count: number, canvases?: Uint8Array): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, example) => example);
  return canvases ? order.sort((a, b) => canvases[a] - canvases[b] || a - b) : order;
}

/** Numbers of rows in the batches of an evaluation, of which each has one canvas. */
export const evaluationBatchSizes = (source: CanvasesOfSource, batchSize: number): number[] =>
  batchSizesByCanvas(source, batchSize).flat();

type CanvasesOfSource = { count: number; views?: number; canvases?: Uint8Array };

/** The same, for each canvas by itself. */
export function batchSizesByCanvas(
  { count, views = 1, canvases }: CanvasesOfSource,
  batchSize: number,
): number[][] {
  const upright = canvases ? canvases.reduce((sum, canvas) => sum + canvas, 0) : 0;
  return [count - upright, upright].map((examples) => {
    const rows = examples * views;
    return Array.from({ length: Math.ceil(rows / batchSize) }, (_, i) =>
      Math.min(batchSize, rows - i * batchSize),
    );
  });
}
