/** The photographs that `motion-of-photographs` moves, without decoding any: known sizes ask for no more. */
import { type ImageList, listImages } from '../image-folder/list.js';
import type { MotionOfPhotographsConfig } from '../schema.js';
import { motionLabels } from './synthetic-video.js';

/** The lists of both splits' photographs, with a motion for each in place of its class. */
export function listPhotographs(
  { train, val }: Pick<MotionOfPhotographsConfig, 'train' | 'val'>,
  dataFolder?: string,
): { train: ImageList; val: ImageList } {
  const moved = (folder: string, key: string): ImageList => {
    const list = listImages(folder, key, dataFolder);
    return { ...list, labels: motionLabels(list.paths.length) };
  };
  return { train: moved(train, 'data.train'), val: moved(val, 'data.val') };
}
