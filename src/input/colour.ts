/**
 * Colour jitter and PCA lighting of fb.resnet.torch, which the paper's recipe refers to (Krizhevsky et al. 2012 for
 * the lighting), in one pass over the pixels.
 *
 * The original goes on with floating-point numbers of any size, where here what leaves 0 to 255 is cut off: of pixels spread
 * evenly over that range 12 % in the mean, more in an image that is made much brighter or darker.
 *
 * Brightness, contrast and saturation blend an image with black, with its mean grey and with its own grey. Each is
 * linear in (pixel, pixel's grey, 1), so the three in any order are `p · pixel + q · grey + r` with the original's
 * grey.
 */
import type { Draws } from '../random/random.js';

// Principal components of ImageNet's RGB values in 0 … 1: eigenvalues, and eigenvectors as rows for R, G and B.
const eigenvalues = [0.2175, 0.0188, 0.0045];
const eigenvectors = [
  [-0.5675, 0.7192, 0.4009],
  [-0.5808, -0.0045, -0.814],
  [-0.5836, -0.6948, 0.4203],
];

const greyOf = (red: number, green: number, blue: number) => 0.299 * red + 0.587 * green + 0.114 * blue;

/** How far each of the three may go, and the lighting's standard deviation; 0 switches either off. */
export interface ColourChange {
  colourJitter: number;
  lighting: number;
}

/** Changes the colours of [pixels, 3] uint8 and writes them to `out`, mirrored left to right if `flip`. */
export function recolourInto(
  out: Uint8Array,
  outOffset: number,
  image: Uint8Array,
  width: number,
  change: ColourChange,
  draws: Draws,
  flip: boolean,
): void {
  const [p, q, r] =
    change.colourJitter > 0 ? jitterOf(meanGrey(image), change.colourJitter, draws) : [1, 0, 0];
  const [lightRed, lightGreen, lightBlue] =
    change.lighting > 0 ? lightingOf(change.lighting, draws) : [0, 0, 0];
  // A clamped array rounds and cuts to 0 … 255 by itself.
  const bytes = new Uint8ClampedArray(out.buffer, out.byteOffset + outOffset, image.length);
  const row = width * 3;
  const step = flip ? -3 : 3;
  for (let start = 0; start < image.length; start += row) {
    let to = flip ? start + row - 3 : start;
    for (let at = start; at < start + row; at += 3, to += step) {
      const red = image[at];
      const green = image[at + 1];
      const blue = image[at + 2];
      const shared = q * greyOf(red, green, blue) + r;
      bytes[to] = p * red + shared + lightRed;
      bytes[to + 1] = p * green + shared + lightGreen;
      bytes[to + 2] = p * blue + shared + lightBlue;
    }
  }
}

function meanGrey(image: Uint8Array): number {
  let red = 0;
  let green = 0;
  let blue = 0;
  for (let at = 0; at < image.length; at += 3) {
    red += image[at];
    green += image[at + 1];
    blue += image[at + 2];
  }
  return greyOf(red, green, blue) / (image.length / 3);
}

/** (p, q, r) of brightness, contrast and saturation by 1 ± `jitter` each, in random order. */
function jitterOf(mean: number, jitter: number, draws: Draws): [number, number, number] {
  let [p, q, r] = [1, 0, 0];
  const left = ['brightness', 'contrast', 'saturation'];
  while (left.length > 0) {
    const [kind] = left.splice(draws.below(left.length), 1);
    const keep = draws.between(1 - jitter, 1 + jitter);
    // The part that is blended in, as (factor of grey, constant): black, the mean grey, or the pixel's grey, all of them so far.
    const other = kind === 'brightness' ? [0, 0] : kind === 'contrast' ? [0, (p + q) * mean + r] : [p + q, r];
    p = keep * p;
    q = keep * q + (1 - keep) * other[0];
    r = keep * r + (1 - keep) * other[1];
  }
  return [p, q, r];
}

/** The offsets that are added to red, green and blue, on the scale of 0 … 255. */
function lightingOf(std: number, draws: Draws): number[] {
  const alphas = eigenvalues.map((eigenvalue) => 255 * std * normal(draws) * eigenvalue);
  return eigenvectors.map((row) => row.reduce((sum, value, index) => sum + value * alphas[index], 0));
}

/** A standard normal number (Box and Muller). */
function normal(draws: Draws): number {
  const radius = Math.sqrt(-2 * Math.log(1 - draws.unit()));
  return radius * Math.cos(2 * Math.PI * draws.unit());
}
