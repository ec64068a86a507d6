/**
 * The objects of a split in a few arrays that threads share without a copy: COCO's 118,287 training images have 860,001
 * objects, and fifty million numbers in their polygons.
 */
import type { Instance, Instances } from '../../coco/instances.js';
import { polygonsMask } from '../../coco/polygon.js';
import { decodeMask, encodeMask, type RunLengths } from '../../coco/run-length.js';

export interface ObjectTable {
  /** Height and width of each image as it was annotated. */
  sizes: Int32Array;
  /** The objects of image i: from `first[i]` on, up to `first[i + 1]`; crowds stand behind the others. */
  first: Int32Array;
  /** Left, top, width, height of each object, in its image's pixels. */
  boxes: Float32Array;
  /** From 1 on, without gaps. */
  classes: Int32Array;
  /** 1 for a crowd. */
  crowds: Uint8Array;
  /** How each object's mask is written: 0 not at all, 1 as polygons, 2 as run lengths. */
  forms: Uint8Array;
  /** The parts of object o, polygons or one list of runs: from `parts[o]` on, up to `parts[o + 1]`. */
  parts: Int32Array;
  /** The numbers of part p in `words`: from `starts[p]` on, up to `starts[p + 1]`. */
  starts: Int32Array;
  /** Runs as they are; coordinates as the bits of float32. */
  words: Uint32Array;
}

const shared = <Kind extends Int32Array | Float32Array | Uint8Array | Uint32Array>(
  Type: { new (buffer: SharedArrayBuffer): Kind; BYTES_PER_ELEMENT: number },
  length: number,
): Kind => new Type(new SharedArrayBuffer(length * Type.BYTES_PER_ELEMENT));

/** @param instances its categories become the classes 1, 2, …, in their order */
export function objectTable({ images, categories, objects }: Instances): ObjectTable {
  const classOf = new Map(categories.map(({ id }, index) => [id, index + 1]));
  const ofImage = new Map(images.map(({ id }) => [id, [] as Instance[]]));
  for (const object of objects) ofImage.get(object.image)?.push(object);
  const ordered = images.map(({ id }) => {
    const own = ofImage.get(id)!;
    return [...own.filter(({ crowd }) => !crowd), ...own.filter(({ crowd }) => crowd)];
  });
  const all = ordered.flat();
  const partsOf = all.map(({ segmentation }) =>
    !segmentation ? [] : 'counts' in segmentation ? [segmentation.counts] : segmentation.polygons,
  );
  const count = partsOf.reduce((sum, parts) => sum + parts.length, 0);
  const numbers = partsOf.reduce((sum, parts) => parts.reduce((inner, { length }) => inner + length, sum), 0);
  const table: ObjectTable = {
    sizes: shared(Int32Array, images.length * 2),
    first: shared(Int32Array, images.length + 1),
    boxes: shared(Float32Array, all.length * 4),
    classes: shared(Int32Array, all.length),
    crowds: shared(Uint8Array, all.length),
    forms: shared(Uint8Array, all.length),
    parts: shared(Int32Array, all.length + 1),
    starts: shared(Int32Array, count + 1),
    words: shared(Uint32Array, numbers),
  };
  images.forEach(({ height, width }, index) => {
    table.sizes.set([height, width], 2 * index);
    table.first[index + 1] = table.first[index] + ordered[index].length;
  });
  const coordinates = new Float32Array(table.words.buffer);
  let part = 0;
  for (const [index, { box, category, crowd, segmentation }] of all.entries()) {
    table.boxes.set(box, 4 * index);
    table.classes[index] = classOf.get(category)!;
    table.crowds[index] = Number(crowd);
    table.forms[index] = !segmentation ? 0 : 'counts' in segmentation ? 2 : 1;
    for (const values of partsOf[index]) {
      const start = table.starts[part];
      if (table.forms[index] === 2) table.words.set(values, start);
      else coordinates.set(values, start);
      table.starts[++part] = start + values.length;
    }
    table.parts[index + 1] = part;
  }
  return table;
}

/** The place that an image takes in a canvas. */
export interface Placement {
  /** Sides of the image as it was annotated. */
  from: { height: number; width: number };
  /** Its sides in the canvas, whose upper left corner it has. */
  to: { height: number; width: number };
  canvas: { height: number; width: number };
  /** Mirrored left to right. */
  flip: boolean;
}

/** An object's box in the canvas: left, top, right, bottom. */
export function placedBox({ boxes }: ObjectTable, object: number, { from, to, flip }: Placement): number[] {
  const [x, y, w, h] = boxes.subarray(4 * object, 4 * object + 4);
  const [across, down] = [to.width / from.width, to.height / from.height];
  const clip = (value: number, most: number) => Math.max(0, Math.min(most, value));
  const [left, right] = [clip(x * across, to.width), clip((x + w) * across, to.width)];
  const [top, bottom] = [clip(y * down, to.height), clip((y + h) * down, to.height)];
  return flip ? [to.width - right, top, to.width - left, bottom] : [left, top, right, bottom];
}

/** An object's mask at the size of the canvas; undefined where it has none. */
export function placedMask(table: ObjectTable, object: number, placement: Placement): RunLengths | undefined {
  const { forms, parts, starts, words } = table;
  if (forms[object] === 0) return undefined;
  const own = Array.from({ length: parts[object + 1] - parts[object] }, (_, index) => {
    const part = parts[object] + index;
    return [starts[part], starts[part + 1]] as const;
  });
  if (forms[object] === 2) return placedRuns(words.subarray(...own[0]), placement);
  const coordinates = new Float32Array(words.buffer);
  const polygons = own.map(([start, end]) => placedPolygon(coordinates.subarray(start, end), placement));
  return polygonsMask(polygons, placement.canvas.height, placement.canvas.width);
}

function placedPolygon(polygon: Float32Array, { from, to, flip }: Placement): Float64Array {
  const [across, down] = [to.width / from.width, to.height / from.height];
  return Float64Array.from(polygon, (value, index) => {
    if (index % 2 === 1) return Math.min(to.height, value * down);
    const x = Math.min(to.width, value * across);
    return flip ? to.width - x : x;
  });
}

/** A pixel of the canvas takes the annotated pixel at its centre. */
function placedRuns(counts: Uint32Array, { from, to, canvas, flip }: Placement): RunLengths {
  const before = decodeMask({ ...from, counts });
  const pixels = new Uint8Array(canvas.height * canvas.width);
  const columns = Int32Array.from({ length: to.width }, (_, x) =>
    Math.min(from.width - 1, Math.floor(((x + 0.5) * from.width) / to.width)),
  );
  for (let y = 0; y < to.height; y++) {
    const row = Math.min(from.height - 1, Math.floor(((y + 0.5) * from.height) / to.height)) * from.width;
    for (let x = 0; x < to.width; x++) {
      pixels[y * canvas.width + (flip ? to.width - 1 - x : x)] = before[row + columns[x]];
    }
  }
  return encodeMask(pixels, canvas.height, canvas.width);
}
