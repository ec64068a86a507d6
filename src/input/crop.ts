import { type Pixels, scalePart } from '../datasets/image-folder/decode.js';
import type { Draws } from '../random/random.js';

/**
 * Training: a part of random area (8 to 100 %) and aspect ratio (3/4 to 4/3), scaled to `size` × `size`. After ten
 * parts that would not fit, the centre. (The paper's section 4.1 by reference: fb.resnet.torch, RandomSizedCrop.)
 */
export async function randomAreaCrop(image: Pixels, size: number, draws: Draws): Promise<Pixels> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = draws.between(0.08, 1) * image.width * image.height;
    const aspect = draws.between(3 / 4, 4 / 3);
    let width = Math.round(Math.sqrt(area * aspect));
    let height = Math.round(Math.sqrt(area / aspect));
    if (draws.unit() < 0.5) [width, height] = [height, width];
    if (width < 1 || height < 1 || width > image.width || height > image.height) continue;
    const left = draws.below(image.width - width + 1);
    const top = draws.below(image.height - height + 1);
    return scalePart(image, { left, top, width, height }, size, size);
  }
  return centreCrop(image, size, size);
}

/** Evaluation: scaled so that the shorter side is `shorter`, of which the `size` × `size` in the middle. */
export async function centreCrop(image: Pixels, size: number, shorter: number): Promise<Pixels> {
  const middle = middlePart(image);
  const scale = shorter / Math.min(middle.width, middle.height);
  const width = Math.max(shorter, Math.round(middle.width * scale));
  const height = Math.max(shorter, Math.round(middle.height * scale));
  const scaled = await scalePart(image, middle, width, height);
  const data = new Uint8Array(size * size * 3);
  const left = Math.ceil((width - size) / 2);
  const top = Math.ceil((height - size) / 2);
  for (let y = 0; y < size; y++) {
    const from = ((top + y) * width + left) * 3;
    data.set(scaled.data.subarray(from, from + size * 3), y * size * 3);
  }
  return { data, width: size, height: size };
}

/** All of it, unless it is so long and thin that scaling all of it would take gigabytes: then the middle. */
function middlePart({ width, height }: Pixels) {
  const longest = 8 * Math.min(width, height);
  const part = { width: Math.min(width, longest), height: Math.min(height, longest) };
  return {
    ...part,
    left: Math.floor((width - part.width) / 2),
    top: Math.floor((height - part.height) / 2),
  };
}

/** The paper evaluates at 224 of 256 pixels; other resolutions in proportion. */
export const shorterSide = (resolution: number) => Math.round((resolution * 256) / 224);
