import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Pixels, scalePart } from './decode.js';
import type { Kernel } from './resample.js';

interface Case {
  kernel: Kernel;
  from: [height: number, width: number];
  to: [height: number, width: number];
  pixels: number[];
}
const { cases }: { cases: Case[] } = JSON.parse(
  readFileSync('src/datasets/image-folder/fixtures/resample.json', 'utf8'),
);

const imageOf = (
  height: number,
  width: number,
  pixel: (x: number, y: number, channel: number) => number,
) => ({
  data: Uint8Array.from({ length: height * width * 3 }, (_, i) =>
    pixel(Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3),
  ),
  width,
  height,
});

const whole = ({ width, height }: Pixels) => ({ left: 0, top: 0, width, height });

test('images are enlarged as PyTorch does it, along one axis too', async () => {
  for (const { kernel, from, to, pixels } of cases) {
    const [height, width] = from;
    const image = imageOf(height, width, (x, y, channel) => {
      const i = (y * width + x) * 3 + channel;
      return (i * 37 + (i >> 3) * 11) % 256;
    });
    const { data } = await scalePart(image, whole(image), to[1], to[0], kernel);
    for (const [at, value] of pixels.entries()) {
      assert.ok(Math.abs(data[at] - value) <= 0.51, `${kernel} ${from} to ${to}: ${data[at]}, not ${value}`);
    }
  }
});

for (const kernel of ['linear', 'cubic'] as const) {
  test(`a mirrored image scales to the mirrored result, larger, smaller, or both (${kernel})`, async () => {
    const [height, width] = [10, 14];
    const value = (x: number, y: number, channel: number) =>
      (x * 41 + y * 23 + channel * 7 + x * y * 3) % 256;
    const [plain, mirrored] = [
      imageOf(height, width, value),
      imageOf(height, width, (x, y, channel) => value(width - 1 - x, height - 1 - y, channel)),
    ];
    for (const [toWidth, toHeight] of [
      [28, 20],
      [21, 10],
      [7, 5],
      [28, 5],
      [5, 20],
    ]) {
      const [one, other] = await Promise.all(
        [plain, mirrored].map((image) => scalePart(image, whole(image), toWidth, toHeight, kernel)),
      );
      const back = imageOf(
        toHeight,
        toWidth,
        (x, y, channel) => other.data[((toHeight - 1 - y) * toWidth + toWidth - 1 - x) * 3 + channel],
      );
      for (const [at, found] of one.data.entries()) {
        assert.ok(Math.abs(found - back.data[at]) <= 1, `${toWidth}×${toHeight}: ${found}, ${back.data[at]}`);
      }
    }
  });
}

test('a part is enlarged without what lies beside it', async () => {
  const image = imageOf(6, 8, (x, y) => (x >= 2 && x < 6 && y >= 1 && y < 5 ? 90 : 255));
  const { data } = await scalePart(image, { left: 2, top: 1, width: 4, height: 4 }, 9, 9);
  assert.ok(data.every((value) => value === 90));
});
