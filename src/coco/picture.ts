/** Boxes and masks drawn into an image, in a colour for each category. */
import type { Box } from './detections.js';
import { decodeMask, type RunLengths } from './run-length.js';

export interface Drawn {
  category: number;
  box: Box;
  mask?: RunLengths;
  crowd?: boolean;
}

/** Colours that can be told apart on most photographs; categories take them in turn. */
const colours = [
  [230, 25, 75],
  [60, 180, 75],
  [255, 225, 25],
  [0, 130, 200],
  [245, 130, 48],
  [145, 30, 180],
  [70, 240, 240],
  [240, 50, 230],
] as const;

/** Categories that have a colour of their own. */
export const colourCount = colours.length;

/** A category's colour, red, green and blue of 0 to 255; `number` is its place in the list of categories. */
export const categoryColour = (number: number) => colours[number % colours.length];

/**
 * Draws objects into an image, in place: masks tint half of a pixel's colour, boxes are outlined, a crowd's is dashed.
 * @param pixels `[height, width, 3]`, 0 to 255
 * @param categories in the order in which they take their colours
 */
export function drawObjects(
  pixels: Uint8Array,
  height: number,
  width: number,
  objects: readonly Drawn[],
  categories: readonly number[],
): void {
  const colourOf = (category: number) => categoryColour(Math.max(0, categories.indexOf(category)));
  for (const { category, mask } of objects) {
    if (!mask) continue;
    const colour = colourOf(category);
    for (const [pixel, inside] of decodeMask(mask).entries()) {
      if (!inside) continue;
      for (let c = 0; c < 3; c++) pixels[pixel * 3 + c] = (pixels[pixel * 3 + c] + colour[c]) >> 1;
    }
  }
  const thickness = Math.max(1, Math.round(Math.min(height, width) / 300));
  for (const { category, box, crowd } of objects) {
    outline(pixels, height, width, box, colourOf(category), thickness, crowd === true);
  }
}

function outline(
  pixels: Uint8Array,
  height: number,
  width: number,
  [x, y, w, h]: Box,
  colour: readonly number[],
  thickness: number,
  dashed: boolean,
): void {
  const within = (at: number, length: number) => Math.max(0, Math.min(length - 1, Math.round(at)));
  const [left, right] = [within(x, width), within(x + w - 1, width)];
  const [top, bottom] = [within(y, height), within(y + h - 1, height)];
  const set = (column: number, row: number) => {
    if (dashed && ((column + row) >> 3) % 2 === 1) return;
    pixels.set(colour, (row * width + column) * 3);
  };
  for (let line = 0; line < thickness; line++) {
    for (let column = left; column <= right; column++) {
      set(column, Math.min(bottom, top + line));
      set(column, Math.max(top, bottom - line));
    }
    for (let row = top; row <= bottom; row++) {
      set(Math.min(right, left + line), row);
      set(Math.max(left, right - line), row);
    }
  }
}
