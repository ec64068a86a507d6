/**
 * The canvas that a detector sees: images keep their proportions, so they are scaled to a shorter side, with a limit for
 * the longer one, and padded to a size that is the same for all, since a step is recorded for fixed shapes.
 */

export interface CanvasConfig {
  shorterSide: number;
  longerSide: number;
  canvas: 'turned' | 'square';
}

export interface Sides {
  height: number;
  width: number;
}

/** Strides of a feature pyramid divide it: 32 is the largest of those that maps are added up at. */
const multiple = 32;
const roundedUp = (side: number) => Math.ceil(side / multiple) * multiple;

/** The canvases, lying and upright; a single one where both would be the same. */
export function canvasesOf({ shorterSide, longerSide, canvas }: CanvasConfig): Sides[] {
  const [short, long] = [roundedUp(Math.min(shorterSide, longerSide)), roundedUp(longerSide)];
  if (canvas === 'square' || short === long) return [{ height: long, width: long }];
  return [
    { height: short, width: long },
    { height: long, width: short },
  ];
}

/** The number of the canvas that an image belongs on. */
export const canvasOf = ({ height, width }: Sides, canvases: readonly Sides[]): number =>
  canvases.length > 1 && height > width ? 1 : 0;

/**
 * The canvas of each image; undefined where there is only one.
 * @param sizes height and width of each
 */
export function canvasesOfImages(sizes: Int32Array, config: CanvasConfig): Uint8Array | undefined {
  const canvases = canvasesOf(config);
  if (canvases.length === 1) return undefined;
  return Uint8Array.from({ length: sizes.length / 2 }, (_, image) =>
    canvasOf({ height: sizes[2 * image], width: sizes[2 * image + 1] }, canvases),
  );
}

/** The size of an image on the canvas. */
export function scaledSize(
  { height, width }: Sides,
  { shorterSide, longerSide }: Pick<CanvasConfig, 'shorterSide' | 'longerSide'>,
): Sides {
  const scale = Math.min(shorterSide / Math.min(height, width), longerSide / Math.max(height, width));
  const scaled = (side: number) => Math.max(1, Math.round(side * scale));
  return { height: scaled(height), width: scaled(width) };
}
