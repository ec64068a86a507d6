/**
 * Random numbers as a pure function of what they are for: no state to save, so a resumed run sees the images that
 * an uninterrupted one would have seen, and any worker can prepare any batch.
 *
 * Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): only 32-bit
 * additions, rotations and exclusive ors, hence the same bits on every machine.
 */

/** The purposes of draws: two of them never share numbers. The list is appended to, never renumbered. */
export const purposes = {
  order: 1,
  augment: 2,
  choice: 3,
  drawing: 4,
  imageFile: 5,
  weights: 6,
  dropout: 7,
  flip: 8,
  frameOrder: 9,
  clip: 10,
  sampling: 11,
} as const;

const rotations = [13, 15, 26, 6, 17, 29, 16, 24];

/** Encrypts the counter (x0, x1) under the key (k0, k1); the two 32-bit results go into `out`. */
export function threefry(k0: number, k1: number, x0: number, x1: number, out: Uint32Array): void {
  const keys = [k0, k1, 0x1bd11bda ^ k0 ^ k1];
  let a = (x0 + k0) | 0;
  let b = (x1 + k1) | 0;
  for (let round = 0; round < 20; round++) {
    const by = rotations[round & 7];
    a = (a + b) | 0;
    b = ((b << by) | (b >>> (32 - by))) ^ a;
    if ((round & 3) === 3) {
      const turn = (round + 1) >> 2;
      a = (a + keys[turn % 3]) | 0;
      b = (b + keys[(turn + 1) % 3] + turn) | 0;
    }
  }
  out[0] = a;
  out[1] = b;
}

/** The sequence of numbers that belongs to (seed, purpose, epoch, index). */
export class Draws {
  readonly #key = new Uint32Array(2);
  readonly #pair = new Uint32Array(2);
  #drawn = 0;

  constructor(seed: number, purpose: keyof typeof purposes, epoch = 0, index = 0) {
    this.restart(seed, purpose, epoch, index);
  }

  /** Begins the sequence of another (seed, purpose, epoch, index): for loops that want no new object each time. */
  restart(seed: number, purpose: keyof typeof purposes, epoch = 0, index = 0): void {
    // Seeds are integers up to 2^53 - 1; the high word's upper bits carry the purpose.
    const high = (Math.floor(seed / 2 ** 32) & 0x1fffff) | (purposes[purpose] << 24);
    threefry(seed | 0, high, epoch, index, this.#key);
    this.#drawn = 0;
  }

  /** An integer in [0, 2^32). */
  next(): number {
    const half = this.#drawn & 1;
    if (half === 0) threefry(this.#key[0], this.#key[1], this.#drawn >>> 1, 0, this.#pair);
    this.#drawn++;
    return this.#pair[half];
  }

  /** An integer in [0, n), n ≤ 2^20 or so: the excess of the likeliest value is below n / 2^32. */
  below(n: number): number {
    return Math.floor((this.next() * n) / 2 ** 32);
  }

  /** A number in [0, 1), a multiple of 2^-32. */
  unit(): number {
    return this.next() / 2 ** 32;
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }
}

/** The numbers 0 … count − 1 in random order: Fisher–Yates, ends first. */
export function shuffled(count: number, draws: Draws): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = draws.below(last + 1);
    const kept = order[last];
    order[last] = order[other];
    order[other] = kept;
  }
  return order;
}
