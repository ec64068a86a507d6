/** Anchors: the boxes that a region proposal network starts from (Ren et al. 2015, arXiv 1506.01497, §3.1.1). */

export interface AnchorOptions {
  /** The feature map's sides. */
  height: number;
  width: number;
  /** An image's pixels a pixel of the map. */
  stride: number;
  /** The square roots of the anchors' areas, in an image's pixels. */
  sizes: readonly number[];
  /** Heights over widths. */
  ratios: readonly number[];
  /** Corners at whole pixels, as in the code that the paper used; later code leaves them where they are. */
  rounded?: boolean;
}

/**
 * The anchors of one level: around the upper left corner of each of its pixels, row by row, for each of them ratio by
 * ratio and within a ratio size by size.
 *
 * @returns `[height · width · ratios · sizes, 4]`: left, top, right, bottom
 */
export function anchorsOf({
  height,
  width,
  stride,
  sizes,
  ratios,
  rounded = false,
}: AnchorOptions): Float32Array {
  const shapes = ratios.flatMap((ratio) =>
    sizes.map((size) => {
      const half = [size / Math.sqrt(ratio) / 2, (size * Math.sqrt(ratio)) / 2];
      return rounded ? half.map(halfToEven) : half;
    }),
  );
  const anchors = new Float32Array(height * width * shapes.length * 4);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (const [right, down] of shapes) {
        anchors[at++] = x * stride - right;
        anchors[at++] = y * stride - down;
        anchors[at++] = x * stride + right;
        anchors[at++] = y * stride + down;
      }
    }
  }
  return anchors;
}

/** The nearest whole number, of two equally near ones the even one, as NumPy and PyTorch round. */
function halfToEven(value: number): number {
  const below = Math.floor(value);
  const tied = value - below === 0.5;
  return tied ? below + (below % 2) : Math.round(value);
}
