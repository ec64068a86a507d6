import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolders, placeFile } from '../../storage/files.js';
import { decodeImage, type Pixels } from './decode.js';

const headerBytes = 48;
const magic = 0x676e6270;

/** An entry of a cache: an image, or the frames of a clip, one below the other. */
export interface Decoded extends Pixels {
  /** Frames of `height` rows each; an image has none. */
  frames?: number;
}

/** How a file becomes pixels; `kind` tells apart what is kept of the same file in several ways. */
export interface Decoder {
  kind: string;
  decode(path: string): Promise<Decoded>;
}

const images: Decoder = { kind: '', decode: decodeImage };

/**
 * Decoded images on disk, so that an epoch after the first reads pixels in place of decoding. At most
 * `limitBytes`; when it is full, further images are decoded each time. An entry belongs to a path, size and times of
 * change, and carries a sha256: what is damaged is decoded anew, and an edited file is another entry. Whether it
 * is there or not changes no pixel.
 */
export class DecodedCache {
  readonly #folder: string;
  readonly #limitBytes: number;
  readonly #decoder: Decoder;
  #used = Number.POSITIVE_INFINITY;
  #addedSinceCount = 0;

  private constructor(folder: string, limitBytes: number, decoder: Decoder) {
    this.#folder = folder;
    this.#limitBytes = limitBytes;
    this.#decoder = decoder;
  }

  static async open(folder: string, limitBytes: number, decoder = images): Promise<DecodedCache> {
    const cache = new DecodedCache(folder, limitBytes, decoder);
    if (limitBytes > 0) await cache.#count();
    return cache;
  }

  /** The decoded file. @throws {UserError} when it is not a sound image, or clip */
  async read(path: string): Promise<Decoded> {
    if (this.#limitBytes <= 0) return this.#decoder.decode(path);
    const entry = await this.#entryOf(path);
    const kept = entry === undefined ? undefined : await readEntry(entry);
    if (kept) return kept;
    const pixels = await this.#decoder.decode(path);
    if (entry !== undefined) await this.#add(entry, pixels);
    return pixels;
  }

  async #entryOf(path: string): Promise<string | undefined> {
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) return undefined;
    const key = createHash('sha256')
      .update(`${path}\n${found.size}\n${found.mtimeMs}\n${found.ctimeMs}${this.#decoder.kind}`)
      .digest('hex');
    return join(this.#folder, key.slice(0, 2), key.slice(2, 42));
  }

  async #add(entry: string, pixels: Decoded): Promise<void> {
    const bytes = headerBytes + pixels.data.length;
    if (this.#used + bytes > this.#limitBytes) return;
    this.#used += bytes;
    this.#addedSinceCount += bytes;
    try {
      await writeEntry(entry, pixels);
      // Other processes add too; none of them may be far off about the sum.
      if (this.#addedSinceCount > this.#limitBytes / 16) await this.#count();
    } catch {
      // A full or read-only disk: go on without adding.
      this.#used = Number.POSITIVE_INFINITY;
    }
  }

  async #count(): Promise<void> {
    this.#addedSinceCount = 0;
    let used = 0;
    for (const shelf of await readdir(this.#folder).catch(() => [])) {
      for (const name of await readdir(join(this.#folder, shelf)).catch(() => [])) {
        used += (await stat(join(this.#folder, shelf, name)).catch(() => undefined))?.size ?? 0;
      }
    }
    this.#used = used;
  }
}

async function readEntry(entry: string): Promise<Decoded | undefined> {
  const content = await readFile(entry).catch(() => undefined);
  if (!content) return undefined;
  if (content.length > headerBytes && content.readUInt32LE(0) === magic) {
    const [width, height] = [content.readUInt32LE(4), content.readUInt32LE(8)];
    const frames = content.readUInt32LE(12);
    const data = content.subarray(headerBytes);
    const size = width * height * 3 * (frames || 1);
    if (data.length === size && content.subarray(16, 48).equals(digest(content))) {
      return { data, width, height, ...(frames > 0 && { frames }) };
    }
  }
  await rm(entry, { force: true }).catch(() => undefined);
  return undefined;
}

async function writeEntry(entry: string, { data, width, height, frames = 0 }: Decoded): Promise<void> {
  const content = Buffer.alloc(headerBytes + data.length);
  content.writeUInt32LE(magic, 0);
  content.writeUInt32LE(width, 4);
  content.writeUInt32LE(height, 8);
  content.writeUInt32LE(frames, 12);
  content.set(data, headerBytes);
  content.set(digest(content), 16);
  makeFolders(dirname(entry));
  await placeFile(entry, content);
}

/** sha256 of everything but itself. */
function digest(content: Buffer): Buffer {
  return createHash('sha256').update(content.subarray(0, 16)).update(content.subarray(headerBytes)).digest();
}
