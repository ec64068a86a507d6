/** The arrays of an example for a detector: an image on its canvas with its objects. */
import type { Scenes } from '../datasets/dataset.js';
import { canvasesOf } from '../datasets/detection/canvas.js';
import { type BatchSpec, ragged } from './batch.js';

/** An object that the engine's kernels match with; see `TruthKind` there, which has the same numbers. */
export const ObjectKind = { none: 0, object: 1, crowd: 2 } as const;

/**
 * Boxes are left, top, right and bottom in the canvas's pixels; classes count from 1; `runs` holds the masks of all
 * objects as run lengths down the canvas's columns, one after the other, of which object i's begin at `start[i]`. An
 * object without a mask, and a crowd, has no runs. `size` is the image's height and width on the canvas, `image` its
 * number in the split, `canvas` the number of its canvas.
 */
export function objectArrays(scenes: Scenes): BatchSpec {
  const canvases = canvasesOf(scenes);
  const [{ height, width }] = canvases;
  const { mostObjects } = scenes;
  const rows: BatchSpec = {
    boxes: { shape: [4], dtype: 'float32' },
    classes: { shape: [], dtype: 'int32' },
    kind: { shape: [], dtype: 'int32' },
  };
  return {
    images: { shape: [height, width, 3], dtype: 'uint8' },
    ...ragged(rows, mostObjects),
    runs: { shape: [mostRuns(scenes)], dtype: 'int32' },
    start: { shape: [mostObjects + 1], dtype: 'int32' },
    size: { shape: [2], dtype: 'float32' },
    image: { shape: [], dtype: 'int32' },
    canvas: { shape: [], dtype: 'int32' },
  };
}

/**
 * Room for the masks' runs: half of the columns of the canvas's longer side for every object, two runs each, or one
 * object of every fourth pixel. The fullest image of COCO's subset takes a tenth of it.
 */
function mostRuns(scenes: Scenes): number {
  const longest = Math.max(...canvasesOf(scenes).flatMap(({ height, width }) => [height, width]));
  return Math.max(scenes.mostObjects, 8) * longest;
}
