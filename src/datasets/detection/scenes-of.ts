import type { Scenes } from '../dataset.js';
import type { CocoConfig, ShapesConfig } from '../schema.js';

/** The most objects that a drawn scene has. */
const mostDrawn = 8;

/** How images with objects are put on canvases. */
export const scenesOf = (data: CocoConfig | ShapesConfig): Scenes =>
  data.name === 'coco'
    ? data
    : { shorterSide: data.side, longerSide: data.side, canvas: 'square', mostObjects: mostDrawn };
