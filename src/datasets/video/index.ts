/** Clips in folders of classes. They stay on disk: batches are decoded ahead of the step. */
import { UserError } from '../../errors.js';
import { eachOf } from '../../process/each-of.js';
import { startProgress } from '../../terminal/progress.js';
import { chosenClasses, namesOfClasses, relabel } from '../classes.js';
import type { Dataset, VideoReading } from '../dataset.js';
import { asExpected } from '../image-folder/expected.js';
import { classesOf } from '../image-folder/list.js';
import { describeFiles, namesOfFiles, selectFiles, splitOfFiles } from '../listed-files.js';
import { pixelStatistics } from '../pixel-statistics.js';
import type { VideoFolderConfig } from '../schema.js';
import { chooseImages } from '../subset.js';
import { type ClipList, listSplits } from './list.js';
import { clipPath, clipReader } from './read-clip.js';
import { decodedSide } from './view.js';

/** So many are decoded once before anything starts; beyond that broken ones are found when their turn comes. */
const few = 2_000;

export interface OpenVideoOptions {
  dataFolder?: string;
  quiet?: boolean;
  ffmpeg?(): Promise<string>;
}

/** @throws {UserError} for folders that are not in order, without FFmpeg, and for broken clips unless they may be skipped */
export async function openVideoFolder(
  config: VideoFolderConfig,
  options: OpenVideoOptions,
): Promise<Dataset> {
  const { train, val } = listSplits(config, options.dataFolder);
  asExpected(config, train, val);
  const classes = chosenClasses(config.classes, classesOf(train));
  const choice = chooseImages(config, relabel(train.labels, classes), relabel(val.labels, classes));
  const { frames, interval, resolution, jitter, views, onBroken, decodedCache } = config;
  const video: VideoReading = {
    ffmpeg: (await options.ffmpeg?.()) ?? 'ffmpeg',
    interval,
    jitter,
    views,
    onBroken,
    cacheBytes: decodedCache * 1e9,
  };
  const chosen = {
    train: selectFiles(train, choice.train),
    validation: selectFiles(choice.validation.from === 'train' ? train : val, choice.validation.indices),
  };
  const sound = async (list: ClipList) =>
    splitOfFiles(await soundClips(list, video, decodedSide(config), options.quiet), classes);
  const splits = { train: await sound(chosen.train), validation: await sound(chosen.validation) };
  return {
    name: config.name,
    classes: classes.length,
    classNames: namesOfClasses(classes, classesOf(train)),
    shape: [frames, resolution, resolution, 3],
    ...pixelStatistics(config.name),
    ...splits,
    checksums: {
      'train (names)': namesOfFiles(chosen.train),
      'validation (names)': namesOfFiles(chosen.validation),
    },
    official: false,
    note: describeFiles(train, splits, 'clips'),
    video,
  };
}

/** The list without its broken clips, each of which is reported. */
async function soundClips(
  list: ClipList,
  video: VideoReading,
  shorterSide: number,
  quiet?: boolean,
): Promise<ClipList> {
  const total = list.paths.length;
  if (total > few) return list;
  const reader = await clipReader(video, shorterSide);
  const broken = new Map<number, UserError>();
  const progress = startProgress({ label: 'checking clips', total, unit: 'clips', quiet });
  let done = 0;
  try {
    await eachOf(total, 2, async (index) => {
      try {
        const clip = await reader.open(clipPath(list, index));
        // A file is decoded by now, but of a folder each frame is when it is read.
        for (let frame = 0; frame < clip.count; frame++) await clip.frame(frame);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        broken.set(index, error);
      }
      progress.update(++done);
    });
  } finally {
    progress.stop();
  }
  const [first] = broken.values();
  if (!first) return list;
  if (video.onBroken === 'fail' || broken.size === total) throw first;
  for (const { place, message } of broken.values()) {
    process.stderr.write(`warning: ${place}: ${message}; skipped\n`);
  }
  const kept = list.paths.flatMap((_, index) => (broken.has(index) ? [] : [index]));
  return selectFiles(list, kept);
}
