/** Frames of a clip by their numbers, from a file or a folder of frames, through the cache of decoded pixels. */
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import type { VideoReading } from '../dataset.js';
import { decodedCacheFolder, isFolder } from '../download/locate.js';
import type { Pixels } from '../image-folder/decode.js';
import { DecodedCache } from '../image-folder/decoded-cache.js';
import { decodeVideo } from './decode.js';
import { listFrames } from './list.js';

/** A clip that is open: how many frames it has, and each of them. */
export interface Clip {
  count: number;
  frame(index: number): Promise<Pixels>;
}

export interface ClipReader {
  /** @throws {UserError} with the path, for a clip that cannot be decoded */
  open(path: string): Promise<Clip>;
}

/** @param shorterSide to which clips in files are scaled when they are decoded */
export async function clipReader(
  { ffmpeg, cacheBytes }: Pick<VideoReading, 'ffmpeg' | 'cacheBytes'>,
  shorterSide: number,
): Promise<ClipReader> {
  const folder = decodedCacheFolder();
  const frames = await DecodedCache.open(folder, cacheBytes);
  const clips = await DecodedCache.open(folder, cacheBytes, {
    kind: `\nclip ${shorterSide}`,
    async decode(path) {
      const { count, height, width, pixels } = await decodeVideo(path, { ffmpeg, shorterSide });
      return { data: pixels, width, height, frames: count };
    },
  });
  return {
    async open(path) {
      if (isFolder(path)) {
        const files = listFrames(path);
        if (files.length > 0) return { count: files.length, frame: (index) => frames.read(files[index]) };
        throw new UserError('the folder holds no frames', {
          place: path,
          fix: 'put .jpg or .png files there, or remove it',
        });
      }
      const { data, width, height, frames: count = 1 } = await clips.read(path);
      const size = width * height * 3;
      return {
        count,
        frame: async (index) => ({ data: data.subarray(index * size, (index + 1) * size), width, height }),
      };
    },
  };
}

/** The paths of a split's clips. */
export const clipPath = ({ root, paths }: { root: string; paths: string[] }, index: number): string =>
  join(root, paths[index]);
