import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Draws } from '../random/random.js';
import { recolourInto } from './colour.js';

/** Gives out the listed numbers in [0, 1) in place of random ones. */
function scripted(units: number[]): Draws {
  const draws = new Draws(0, 'imageFile');
  const next = () => Math.floor((units.shift() ?? assert.fail('more draws than listed')) * 2 ** 32);
  return Object.assign(draws, { next });
}

type Rgb = [number, number, number];
const grey = ([red, green, blue]: Rgb) => 0.299 * red + 0.587 * green + 0.114 * blue;

/** fb.resnet.torch's definition: one blend after the other, image by image. */
const blends: Record<string, (pixels: Rgb[], keep: number) => Rgb[]> = {
  brightness: (pixels, keep) => pixels.map((pixel) => pixel.map((value) => keep * value) as Rgb),
  contrast: (pixels, keep) => {
    const mean = pixels.reduce((sum, pixel) => sum + grey(pixel), 0) / pixels.length;
    return pixels.map((pixel) => pixel.map((value) => keep * value + (1 - keep) * mean) as Rgb);
  },
  saturation: (pixels, keep) =>
    pixels.map((pixel) => pixel.map((value) => keep * value + (1 - keep) * grey(pixel)) as Rgb),
};

const recolour = (
  pixels: Rgb[],
  width: number,
  change: Parameters<typeof recolourInto>[4],
  draws: Draws,
  flip = false,
) => {
  const out = new Uint8Array(pixels.length * 3 + 2).fill(77);
  recolourInto(out, 1, Uint8Array.from(pixels.flat()), width, change, draws, flip);
  assert.deepEqual([out[0], out[out.length - 1]], [77, 77], 'nothing else is written');
  return [...out.subarray(1, -1)];
};

test('one pass equals the three blends, one after the other, in whichever order was drawn', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const unit = fc.double({ min: 0, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(byte, byte, byte), { minLength: 1, maxLength: 12 }),
      fc.tuple(unit, unit, unit, unit, unit),
      (pixels, [first, a, second, b, c]) => {
        const left = ['brightness', 'contrast', 'saturation'];
        const order = [
          left.splice(Math.floor(first * 3), 1)[0],
          left.splice(Math.floor(second * 2), 1)[0],
          left[0],
        ];
        let expected: Rgb[] = pixels;
        for (const [index, unit] of [a, b, c].entries()) {
          expected = blends[order[index]](expected, 0.6 + 0.8 * unit);
        }
        const draws = scripted([first, a, second, b, 0, c]);
        const found = recolour(pixels, pixels.length, { colourJitter: 0.4, lighting: 0 }, draws);
        expected.flat().forEach((value, at) => {
          const clamped = Math.max(0, Math.min(255, value));
          assert.ok(Math.abs(found[at] - clamped) <= 0.5 + 1e-4, `${found[at]} of ${clamped}`);
        });
      },
    ),
    { numRuns: 500 },
  );
});

test('lighting adds the same to every pixel: along the principal components, with their spread', () => {
  const sums = [0, 0, 0];
  const squares = [0, 0, 0];
  const count = 4000;
  for (let index = 0; index < count; index++) {
    const draws = new Draws(1, 'imageFile', 1, index);
    const found = recolour(
      [
        [128, 128, 128],
        [100, 100, 100],
      ],
      2,
      { colourJitter: 0, lighting: 1 },
      draws,
    );
    for (let channel = 0; channel < 3; channel++) {
      assert.ok(
        Math.abs(found[channel] - found[channel + 3] - 28) <= 1 ||
          [0, 255].includes(found[channel + 3]) ||
          [0, 255].includes(found[channel]),
      );
      sums[channel] += found[channel] - 128;
      squares[channel] += (found[channel] - 128) ** 2;
    }
  }
  // Standard deviation of red: 255·√(Σ (eigenvector · eigenvalue)²) = 255·0.1242 = 31.7.
  for (const [channel, expected] of [31.7, 32.2, 32.6].entries()) {
    assert.ok(Math.abs(sums[channel] / count) < 2, `mean ${sums[channel] / count}`);
    assert.ok(
      Math.abs(Math.sqrt(squares[channel] / count) - expected) < 1.5,
      `${Math.sqrt(squares[channel] / count)}`,
    );
  }
});

test('nothing to change: the pixels themselves, or their mirror image, row by row', () => {
  const pixels: Rgb[] = [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
    [10, 11, 12],
  ];
  const none = { colourJitter: 0, lighting: 0 };
  assert.deepEqual(recolour(pixels, 2, none, new Draws(0, 'imageFile')), pixels.flat());
  assert.deepEqual(
    recolour(pixels, 2, none, new Draws(0, 'imageFile'), true),
    [pixels[1], pixels[0], pixels[3], pixels[2]].flat(),
  );
});
