/** The random cases of `src/coco/fixtures/cases.py`, draw for draw. */
import type { Detection, TrueObject } from '../detections.js';
import { polygonMask } from '../polygon.js';

const side = 160;

/** A linear congruential generator: 32 bits, Knuth's constants. */
class Draws {
  private state: bigint;

  constructor(seed: number) {
    this.state = (BigInt(seed) * 2654435761n + 1n) % 2n ** 32n;
  }

  below(n: number): number {
    this.state = (this.state * 1664525n + 1013904223n) % 2n ** 32n;
    return Number((this.state * BigInt(n)) / 2n ** 32n);
  }
}

type Rectangle = [number, number, number, number];

function shape(kind: number, [x, y, w, h]: Rectangle): number[] {
  if (kind === 0) return [x, y, x, y + h, x + w, y + h, x + w, y];
  if (kind === 1) return [x, y + h, x + w / 2, y, x + w, y + h];
  const [a, b] = [w / 4, h / 4];
  return [
    [x + a, y],
    [x + w - a, y],
    [x + w, y + b],
    [x + w, y + h - b],
    [x + w - a, y + h],
    [x + a, y + h],
    [x, y + h - b],
    [x, y + b],
  ].flat();
}

export interface Case {
  images: number;
  categories: number;
  truth: TrueObject[];
  detections: Detection[];
}

export function makeCase(seed: number): Case {
  const draws = new Draws(seed);
  const images = 1 + draws.below(4);
  const categories = 1 + draws.below(3);
  const truth: TrueObject[] = [];
  const detections: Detection[] = [];
  const maskOf = (kind: number, box: Rectangle) => polygonMask(shape(kind, box), side, side);
  const objects = draws.below(13);
  for (let object = 0; object < objects; object++) {
    const length = [8, 16, 32, 33, 64, 96, 97, 120][draws.below(8)];
    const other = draws.below(2) ? length : 1 + draws.below(120);
    const box: Rectangle = [draws.below(80) / 2, draws.below(80) / 2, length, other];
    const category = 1 + draws.below(categories);
    const kind = draws.below(3);
    const image = draws.below(images);
    const crowd = draws.below(7) === 0;
    const area = draws.below(3) ? box[2] * box[3] : draws.below(12000);
    truth.push({ image, category, crowd, box, area, mask: maskOf(kind, box) });
    const found = draws.below(4);
    for (let detection = 0; detection < found; detection++) {
      let moved: Rectangle = [
        box[0] + draws.below(9) - 4,
        box[1] + draws.below(9) - 4,
        Math.max(1, box[2] + draws.below(9) - 4),
        Math.max(1, box[3] + draws.below(9) - 4),
      ];
      if (draws.below(4) === 0) moved = [...box];
      const its = draws.below(8) ? category : 1 + draws.below(categories);
      const score = draws.below(8) / 8;
      detections.push({ image, category: its, score, box: moved, mask: maskOf(kind, moved) });
    }
  }
  const others = draws.below(6);
  for (let detection = 0; detection < others; detection++) {
    const box: Rectangle = [draws.below(100), draws.below(100), 1 + draws.below(60), 1 + draws.below(60)];
    const image = draws.below(images);
    const category = 1 + draws.below(categories);
    const score = draws.below(8) / 8;
    detections.push({ image, category, score, box, mask: maskOf(draws.below(3), box) });
  }
  return { images, categories, truth, detections };
}

/** Polygons of three to nine corners, in and out of the image, one to three an object. */
export function makePolygons(count: number) {
  const draws = new Draws(4711);
  return Array.from({ length: count }, () => {
    const [height, width] = [1 + draws.below(90), 1 + draws.below(90)];
    const polygons = Array.from({ length: 1 + draws.below(3) }, () => {
      const corners = 3 + draws.below(7);
      return Array.from({ length: 2 * corners }, () => (draws.below(1100) - 50) / 10);
    });
    return { polygons, height, width };
  });
}
