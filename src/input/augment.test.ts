import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { augmentInto, cropInto } from './augment.js';

type Shape = [number, number, number];

/** The definition, pixel by pixel: look each output pixel up in the padded image. */
function plainly(
  image: Uint8Array,
  [height, width, channels]: Shape,
  down: number,
  right: number,
  flip: boolean,
  mean: number[],
) {
  const out = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const row = y + down;
      const column = (flip ? width - 1 - x : x) + right;
      const inside = row >= 0 && row < height && column >= 0 && column < width;
      for (let c = 0; c < channels; c++) {
        out.push(inside ? image[(row * width + column) * channels + c] : Math.round(mean[c]));
      }
    }
  }
  return out;
}

test('crops and flips are what looking up every pixel gives, also beyond the image', () => {
  const side = fc.integer({ min: 1, max: 9 });
  const shift = fc.integer({ min: -10, max: 10 });
  fc.assert(
    fc.property(
      side,
      side,
      fc.constantFrom(1, 3),
      shift,
      shift,
      fc.boolean(),
      (height, width, channels, down, right, flip) => {
        const shape: Shape = [height, width, channels];
        const size = height * width * channels;
        const image = Uint8Array.from({ length: size }, (_, at) => 50 + at);
        const mean = [10.4, 20.5, 30.6];
        const out = new Uint8Array(size + 4).fill(255);
        cropInto(out, 2, image, shape, down, right, flip, mean);
        assert.deepEqual([...out], [255, 255, ...plainly(image, shape, down, right, flip, mean), 255, 255]);
      },
    ),
    { numRuns: 500 },
  );
});

test('augmentation reaches every shift of ±4 with both flips, about equally often', () => {
  const shape: Shape = [9, 9, 1];
  // A single bright pixel in the middle and one beside it show shift and flip.
  const image = new Uint8Array(81);
  image[4 * 9 + 4] = 200;
  const seen = new Map<string, number>();
  const out = new Uint8Array(81);
  for (let index = 0; index < 8100; index++) {
    augmentInto(out, 0, image, shape, 1, 1, index, [0]);
    const at = String(out.indexOf(200));
    seen.set(at, (seen.get(at) ?? 0) + 1);
  }
  assert.equal(seen.size, 81);
  for (const count of seen.values()) assert.ok(count > 50 && count < 160, `${count} of about 100`);
});

test('augmentation depends on seed, epoch and index alone, and flips half of the images', () => {
  const shape: Shape = [32, 32, 3];
  const image = Uint8Array.from({ length: 3072 }, (_, at) => (at * 7919) % 251);
  const draw = (seed: number, epoch: number, index: number) => {
    const out = new Uint8Array(3072);
    augmentInto(out, 0, image, shape, seed, epoch, index, [125.3, 123, 113.9]);
    return Buffer.from(out).toString('base64');
  };
  assert.equal(draw(1, 2, 3), draw(1, 2, 3));
  const distinct = new Set();
  for (let index = 0; index < 200; index++) distinct.add(draw(1, 1, index));
  // 162 outcomes, 200 draws: 115 distinct ones expected, standard deviation 5.
  assert.ok(distinct.size > 90 && distinct.size < 140, `${distinct.size} outcomes`);
  assert.notDeepEqual(
    Array.from({ length: 8 }, (_, index) => draw(1, 1, index)),
    Array.from({ length: 8 }, (_, index) => draw(1, 2, index)),
  );
});
