import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { UserError } from '../../errors.js';
import { fileError, isSystemError } from '../../storage/system-errors.js';
import { imageLibrary } from './image-library.js';
import type { Pixels } from './pixels.js';
import { type Kernel, type Part, resample } from './resample.js';

const sharp = await imageLibrary();

export type { Pixels } from './pixels.js';

// ImageNet's largest file has 15 MB, its largest image 20 million pixels.
const fileLimit = 64 * 2 ** 20;
const pixelLimit = 2 ** 26;

// The batches' thread prepares several images side by side; more threads within one would only take the step's cores.
sharp.concurrency(1);
sharp.cache(false);

/**
 * Decodes a JPEG or PNG file, known by its first bytes, whatever it is called. Grey, CMYK and 16-bit images become
 * 8-bit sRGB; transparency is dropped. As in the paper's code, neither the orientation that a camera noted nor a colour
 * profile is applied, but for CMYK's.
 *
 * @throws {UserError} naming the file, when it is neither, cut short or broken, or larger than 64 MiB or 67 megapixels;
 *   also when it cannot be read, and then the system's error is its cause
 */
export async function decodeImage(path: string): Promise<Pixels> {
  try {
    const content = await readBounded(path);
    const jpeg = content[0] === 0xff && content[1] === 0xd8;
    const png = content.length > 4 && content.readUInt32BE(0) === 0x89504e47;
    if (!jpeg && !png) throw new Error('neither a JPEG nor a PNG file');
    const ignoreIcc = !(await isCmyk(content));
    const { data, info } = await sharp(content, { failOn: 'error', limitInputPixels: pixelLimit, ignoreIcc })
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
      .catch(async (error) => {
        throw (await tooManyPixels(content)) ?? error;
      });
    return { data: toThreeChannels(data, info.channels), width: info.width, height: info.height };
  } catch (error) {
    if (isSystemError(error)) throw fileError(error, 'cannot be read', path, { exitCode: 2 });
    if (error instanceof TooLarge) {
      throw new UserError(`too large an image: ${error.message}`, {
        place: path,
        fix: 'scale it down or remove it, or set data.onBroken to skip',
        cause: error,
      });
    }
    const reason = (error as Error).message.replace(/\s+/g, ' ').slice(0, 200);
    throw new UserError(`broken image: ${reason}`, {
      place: path,
      fix: 'replace or remove it, or set data.onBroken to skip',
      cause: error,
    });
  }
}

/** Inks become colours by a profile alone. A header that cannot be read is decoding's to tell. */
const isCmyk = async (content: Buffer): Promise<boolean> =>
  sharp(content, { limitInputPixels: false })
    .metadata()
    .then(
      ({ space }) => space === 'cmyk',
      () => false,
    );

/** Sound, as far as is known, but more than is read. */
class TooLarge extends Error {}

/** The size in words, when it is more than is decoded. */
async function tooManyPixels(content: Buffer): Promise<TooLarge | undefined> {
  const header = await sharp(content, { limitInputPixels: false })
    .metadata()
    .catch(() => undefined);
  const pixels = header ? header.width * header.height : 0;
  if (!header || pixels <= pixelLimit) return undefined;
  const [found, most] = [Math.round(pixels / 1e6), Math.floor(pixelLimit / 1e6)];
  const size = `${header.width} × ${header.height} pixels`;
  return new TooLarge(`it has ${size}, ${found} megapixels, and ${most} are read at most`);
}

async function readBounded(path: string): Promise<Buffer> {
  // Before opening it: to open a named pipe would wait for its writer.
  const found = await stat(path).catch(async (error) => {
    const link = await lstat(path).catch(() => undefined);
    throw link?.isSymbolicLink() && error.code === 'ENOENT'
      ? new Error('a link to a file that is not there')
      : error;
  });
  if (!found.isFile()) throw new Error('not a file');
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { size } = await file.stat();
    if (size > fileLimit) {
      const megabytes = (bytes: number) => Math.ceil(bytes / 2 ** 20);
      throw new TooLarge(`the file has ${megabytes(size)} MiB, and ${megabytes(fileLimit)} are read at most`);
    }
    return await file.readFile();
  } finally {
    await file?.close();
  }
}

function toThreeChannels(data: Buffer, channels: number): Uint8Array {
  if (channels === 3) return data;
  const out = new Uint8Array((data.length / channels) * 3);
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) out.fill(data[from], to, to + 3);
  return out;
}

/** The part of an image from (`left`, `top`) on, `width` × `height`, scaled to `toWidth` × `toHeight`. */
export async function scalePart(
  image: Pixels,
  part: Part,
  toWidth: number,
  toHeight: number,
  kernel: Kernel = 'cubic',
): Promise<Pixels> {
  if (toWidth > part.width || toHeight > part.height) return resample(image, part, toWidth, toHeight, kernel);
  const { data, info } = await sharp(image.data, {
    raw: { width: image.width, height: image.height, channels: 3 },
  })
    .extract(part)
    .resize(toWidth, toHeight, { fit: 'fill', kernel })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: toThreeChannels(data, info.channels), width: info.width, height: info.height };
}
