/**
 * Sheets of clips for people to look at, as SVG files of a run's folder: a validation clip of each class, and those of
 * which the network was most wrong.
 */
import { imageLibrary } from '../datasets/image-folder/image-library.js';
import { sharedArrays } from '../input/batch.js';
import { type ExampleSource, openSource, type SourceDescription } from '../input/example-source.js';
import type { Answer } from '../tasks/answers.js';

export const framesSheet = 'frames.svg';
export const mistakesSheet = 'mistakes.svg';

/** At most so many clips on a sheet, and frames of each. */
const most = { classes: 16, mistakes: 8, frames: 8 };
/** The height of a frame on the sheet: small ones are enlarged, large ones are kept no larger than shown. */
const shown = { least: 64, most: 96 };

export interface SheetClips {
  /** The validation split, with one view of each video. */
  source: SourceDescription;
  /** A label for each example. */
  labels: ArrayLike<number>;
  classNames?: readonly string[];
  /** The paths of the examples' files, where they have some. */
  paths?: readonly string[];
}

interface Clip {
  example: number;
  caption: string;
}

/** @param answers of the last evaluation; without them there is no sheet of mistakes */
export async function drawClipSheets(
  clips: SheetClips,
  answers: readonly Answer[] = [],
): Promise<Record<string, string>> {
  const { labels, classNames, paths } = clips;
  const nameOf = (label: number) => classNames?.[label] ?? `class ${label}`;
  const ofFile = (example: number) => (paths ? ` · ${paths[example]}` : '');
  const firsts = new Map<number, number>();
  for (let example = 0; example < labels.length; example++) {
    if (!firsts.has(labels[example])) firsts.set(labels[example], example);
  }
  const ofClasses = [...firsts]
    .sort(([one], [other]) => one - other)
    .slice(0, most.classes)
    .map(([label, example]) => ({ example, caption: nameOf(label) }));
  const wrong = answers
    .filter(({ label, answer }) => label !== answer)
    .sort((one, other) => one.ofLabel - other.ofLabel || one.example - other.example)
    .slice(0, most.mistakes)
    .map(({ example, label, answer, ofAnswer }) => ({
      example,
      caption: `${nameOf(label)}, taken for ${nameOf(answer)} (${Math.floor(100 * ofAnswer)} %)${ofFile(example)}`,
    }));
  const source = await openSource(clips.source);
  return {
    [framesSheet]: await drawSheet(source, ofClasses),
    ...(wrong.length > 0 && { [mistakesSheet]: await drawSheet(source, wrong) }),
  };
}

const [gap, line] = [16, 18];

/** Clips in two columns where they are narrow enough, each its frames in a row below its caption. */
async function drawSheet(source: ExampleSource, clips: readonly Clip[]): Promise<string> {
  const [count, height, width] = source.spec.images.shape;
  const frames = Math.min(count, most.frames);
  const rows = Math.min(shown.most, Math.max(shown.least, height));
  const columns = Math.round((rows * width) / height);
  const stripWidth = frames * columns;
  const across = stripWidth <= 520 ? 2 : 1;
  const drawn: string[] = [];
  for (const [place, { example, caption }] of clips.entries()) {
    const x = (place % across) * (stripWidth + gap);
    const y = Math.floor(place / across) * (line + rows + gap / 2);
    const strip = await drawStrip(source, example, frames, Math.min(rows, height), Math.min(columns, width));
    const space = Math.floor(stripWidth / 6.2);
    const text = caption.length > space ? `${caption.slice(0, space - 1)}…` : caption;
    drawn.push(
      `<text x="${x}" y="${y + 13}">${escaped(text)}</text>`,
      `<image x="${x}" y="${y + line}" width="${stripWidth}" height="${rows}" preserveAspectRatio="none" href="data:image/jpeg;base64,${strip.toString('base64')}"><title>${escaped(caption)}</title></image>`,
    );
  }
  const wide = Math.min(across, clips.length) * (stripWidth + gap) - gap;
  const high = Math.ceil(clips.length / across) * (line + rows + gap / 2) - gap / 2;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${high}" viewBox="0 0 ${wide} ${high}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="12">
${drawn.join('\n')}
</svg>
`;
}

/** Some of an example's frames, evenly spread, side by side. */
async function drawStrip(
  source: ExampleSource,
  example: number,
  frames: number,
  rows: number,
  columns: number,
): Promise<Buffer> {
  const sharp = await imageLibrary();
  const [count, height, width, channels] = source.spec.images.shape;
  const batch = sharedArrays(source.spec, 1);
  await source.write(batch, 0, example, { view: 0 });
  const clip = Buffer.from(batch.images as Uint8Array);
  const size = height * width * channels;
  const layers = await Promise.all(
    Array.from({ length: frames }, async (_, place) => {
      const from = frames === 1 ? 0 : Math.round((place * (count - 1)) / (frames - 1));
      const raw = { width, height, channels: channels as 3 };
      const frame = sharp(clip.subarray(from * size, (from + 1) * size), { raw });
      // A column of the background's white remains between frames.
      const input = await frame
        .resize(columns - 1, rows, { fit: 'fill' })
        .png()
        .toBuffer();
      return { input, left: place * columns, top: 0 };
    }),
  );
  const background = { r: 255, g: 255, b: 255 };
  return sharp({ create: { width: frames * columns, height: rows, channels: 3, background } })
    .composite(layers)
    .jpeg({ quality: 80 })
    .toBuffer();
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
