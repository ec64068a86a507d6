/** Decoded pixels, [height, width, 3], sRGB, uint8. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}
