/** The steps for images on two canvases, a lying and an upright one: a step is recorded for one shape of images. */
import { canvasesOf } from '../datasets/detection/canvas.js';
import type { Batch } from '../input/batch.js';
import type { Network } from './network.js';

/** The network for the images of each canvas, by the canvas's number: the upright one is the lying one turned. */
export function onCanvases(network: Network): Network[] {
  const { data } = network.config;
  const [height, width, ...channels] = network.shape;
  const hasTwo = data.name === 'coco' && canvasesOf(data).length > 1;
  return hasTwo ? [network, { ...network, shape: [width, height, ...channels] }] : [network];
}

/** The canvas that the images of a batch are on; all of them are on the same. */
export const canvasOfBatch = ({ canvas }: Batch): number => canvas?.[0] ?? 0;

/** The label of a step for the images of a canvas. */
export const stepOnCanvas = (label: string, canvas: number): string =>
  canvas === 0 ? label : `${label}/upright`;
