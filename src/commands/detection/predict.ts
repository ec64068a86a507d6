import { realpath, stat } from 'node:fs/promises';
import { dirname, join, parse } from 'node:path';
import type { Detection } from '../../coco/detections.js';
import { drawObjects } from '../../coco/picture.js';
import { compressCounts } from '../../coco/run-length.js';
import type { Pixels } from '../../datasets/image-folder/decode.js';
import { imageLibrary } from '../../datasets/image-folder/image-library.js';
import { UserError } from '../../errors.js';
import { makeFolders } from '../../storage/files.js';
import { fileError } from '../../storage/system-errors.js';
import { counted } from '../../terminal/words.js';
import { detectorOfRun, openPredictor } from '../../training/predict-run.js';

export interface PredictFlags {
  out: string;
  minScore?: string;
  json?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

/**
 * `gnbench predict RUN IMAGE… --out DIR`: finds objects in images with a run's detector, draws them into copies of the
 * images, and lists them. @returns the exit code
 */
export async function predict(run: string, images: string[], flags: PredictFlags): Promise<number> {
  const minScore = scoreOf(flags.minScore ?? '0.5');
  const detector = await detectorOfRun(run);
  // Every image is decoded once before the engine is loaded: a mistyped name ends it at once. Their pixels are not kept.
  for (const image of images) await decode(image);
  const files = outputFiles(images, flags.out);
  await requireCopies(images, files);
  try {
    makeFolders(flags.out);
  } catch (error) {
    throw fileError(error, 'the folder cannot be made', flags.out, { exitCode: 2 });
  }
  const note = (message: string) => {
    if (!flags.quiet) process.stderr.write(`${message}\n`);
  };
  const predictor = await openPredictor(detector, {
    quiet: flags.quiet ?? false,
    debug: flags.debug ?? false,
    note,
  });
  const { classNames } = predictor;
  const sharp = await imageLibrary();
  const report = [];
  try {
    for (const [index, image] of images.entries()) {
      const pixels = await decode(image);
      const found = (await predictor.find(pixels)).filter(({ score }) => score >= minScore);
      await draw(pixels, found, classNames.length)
        .toFile(files[index])
        .catch((cause: unknown) => {
          throw fileError(cause, 'the picture cannot be written', files[index]);
        });
      report.push({ image, drawn: files[index], objects: found.map((each) => described(each, classNames)) });
      if (!flags.json) process.stdout.write(asText(report.at(-1)!));
    }
  } finally {
    predictor.close();
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  return 0;

  function draw({ data, height, width }: Pixels, found: Detection[], classes: number) {
    const copy = Uint8Array.from(data);
    const categories = Array.from({ length: classes }, (_, number) => number + 1);
    drawObjects(copy, height, width, found, categories);
    return sharp(copy, { raw: { width, height, channels: 3 } }).png();
  }
}

const described = ({ category, score, box, mask }: Detection, classNames: readonly string[]) => ({
  class: classNames[category - 1],
  score,
  /** Left, top, width and height in the image's pixels, as in COCO's results. */
  bbox: box,
  ...(mask && { segmentation: { size: [mask.height, mask.width], counts: compressCounts(mask.counts) } }),
});

function asText({ drawn, objects }: { drawn: string; objects: ReturnType<typeof described>[] }): string {
  const lines = objects.map(
    (each) =>
      `  ${each.class} ${each.score.toFixed(2)}: ${each.bbox.map((value) => value.toFixed(0)).join(' ')}\n`,
  );
  return `${drawn}: ${counted(objects.length, 'object')}\n${lines.join('')}`;
}

/** A PNG for each image, by its name; images of one name in different folders get a number. */
function outputFiles(images: readonly string[], folder: string): string[] {
  const taken = new Set<string>();
  return images.map((image) => {
    const { name } = parse(image);
    let file = `${name}.png`;
    for (let number = 2; taken.has(file); number++) file = `${name}-${number}.png`;
    taken.add(file);
    return join(folder, file);
  });
}

/** @throws {UserError} where a picture would take the place of one of the images, or of a file beside them */
async function requireCopies(images: readonly string[], files: readonly string[]): Promise<void> {
  const originals = new Set(await Promise.all(images.map((image) => realpath(image))));
  const folders = new Set([...originals].map((image) => dirname(image)));
  for (const file of files) {
    const there = await realpath(file).catch(() => undefined);
    // An image that was not named may be there, too.
    const isBeside = there !== undefined && folders.has(await realpath(dirname(file)));
    if (there === undefined || !(originals.has(there) || isBeside)) continue;
    throw new UserError(`the picture would replace ${file}, among the images themselves`, {
      place: '--out',
      fix: 'name another folder',
    });
  }
}

function scoreOf(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new UserError(`expected a score, got ${text}`, { place: '--min-score', fix: '0 to 1' });
}

async function decode(path: string): Promise<Pixels> {
  const sharp = await imageLibrary();
  try {
    const { data, info } = await sharp(path)
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data, height: info.height, width: info.width };
  } catch (cause) {
    const missing = !(await stat(path).catch(() => undefined));
    throw new UserError(missing ? 'the image is not there' : 'the image cannot be decoded', {
      place: path,
      fix: 'name image files: JPEG, PNG, WebP, TIFF or GIF',
      cause,
    });
  }
}
