import type { Dataset } from '../datasets/dataset.js';
import { canvasesOfImages } from '../datasets/detection/canvas.js';
import type { SourceDescription } from './example-source.js';
import type { FileOptions } from './file-source.js';
import { labelledImages, type MemoryOptions } from './memory-source.js';
import { objectArrays } from './object-arrays.js';
import type { ObjectOptions } from './object-source.js';
import type { PhotographMotionOptions } from './video/photograph-motion-source.js';
import type { VideoOptions } from './video/video-source.js';

/** The parts of a data set that it takes to go through its images. */
export type Images = Pick<
  Dataset,
  'shape' | 'mean' | 'train' | 'validation' | 'decoding' | 'scenes' | 'video' | 'photographs'
>;

/** One view of a video, in the middle. */
const middle = { clips: 1, crops: 1 };

/**
 * The examples of a split: its images with their labels.
 *
 * @param allViews of videos, each with the views that the configuration asks for; else with the one in the middle
 */
export function sourceOf(
  dataset: Images,
  split: 'train' | 'validation',
  { allViews = false } = {},
): SourceDescription {
  const { shape, mean, decoding, scenes, video, photographs } = dataset;
  const { images, labels, files, count, objects, truth } = dataset[split];
  if (scenes && objects) {
    const options: ObjectOptions = {
      objects,
      scenes,
      mean,
      train: split === 'train',
      files,
      decoding,
      images,
    };
    return {
      module: import.meta.resolve('./object-source.js'),
      options,
      count,
      spec: objectArrays(scenes),
      canvases: canvasesOfImages(objects.sizes, scenes),
      truth,
    };
  }
  const spec = labelledImages(shape);
  if (files && decoding) {
    const options: FileOptions = { shape, labels, files, decoding, train: split === 'train' };
    return { module: import.meta.resolve('./file-source.js'), options, count, spec };
  }
  if (files && video) {
    const views = allViews ? video.views : middle;
    const options: VideoOptions = { shape, labels, files, video, train: split === 'train', views };
    const module = import.meta.resolve('./video/video-source.js');
    return { module, options, count, views: views.clips * views.crops, spec };
  }
  if (files && photographs) {
    const options: PhotographMotionOptions = { shape, labels, files, photographs, train: split === 'train' };
    return { module: import.meta.resolve('./video/photograph-motion-source.js'), options, count, spec };
  }
  const options: MemoryOptions = { shape, mean, images, labels };
  const resident = { images, labels };
  return { module: import.meta.resolve('./memory-source.js'), options, count, spec, resident };
}
