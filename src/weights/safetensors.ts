/**
 * The safetensors format (https://github.com/huggingface/safetensors): the header's length in 8 bytes, a JSON header
 * of names, types, shapes and byte ranges, then the bytes. Reading is strict, since files come from elsewhere.
 */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../errors.js';
import { availableMemory } from '../process/memory.js';
import { diskFileSystem, makeFolders, replaceFile } from '../storage/files.js';
import { fileError } from '../storage/system-errors.js';

export interface Tensor<Data = Float32Array> {
  shape: number[];
  /** Row-major. */
  data: Data;
}

/** A tensor that can be written: as F32 or I64. */
export type Written = Tensor<Float32Array | BigInt64Array>;

export interface Safetensors {
  tensors: Record<string, Tensor>;
  metadata: Record<string, string>;
}

/** Far above what a model needs (about 100 bytes a tensor), far below what would exhaust the memory. */
const largestHeader = 16 * 2 ** 20;

/** The types that are read, all to float32: float64 and int64 are rounded. */
const types: Record<string, { width: number; read: (bytes: Uint8Array) => Float32Array }> = {
  F32: { width: 4, read: (bytes) => aligned(Float32Array, bytes) },
  F16: { width: 2, read: (bytes) => Float32Array.from(aligned(Uint16Array, bytes), float16) },
  BF16: { width: 2, read: readBfloat16 },
  F64: { width: 8, read: (bytes) => Float32Array.from(aligned(Float64Array, bytes)) },
  I64: { width: 8, read: (bytes) => Float32Array.from(aligned(BigInt64Array, bytes) as never, Number) },
};

/** Sound as well, but no weights of a network that is computed in floating point. */
const unread = new Set('BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F4 I16 U16 I32 U32 U64 C64'.split(' '));

/** The file's bytes in parts, the tensors' own memory among them: nothing of size is copied. */
export function encodeSafetensors(
  tensors: Record<string, Written>,
  metadata: Record<string, string> = {},
): Uint8Array[] {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    if (data.length !== elements(shape)) throw new Error(`${name} has ${data.length} values for [${shape}]`);
    const begin = end;
    end += data.byteLength;
    const dtype = data instanceof Float32Array ? 'F32' : 'I64';
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const about = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  const json = Buffer.from(JSON.stringify(Object.fromEntries([...about, ...entries])));
  // Spaces behind the JSON put the tensors at a multiple of 8 bytes, where they can be read in place.
  const head = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  head.writeBigUInt64LE(BigInt(head.length - 8));
  json.copy(head, 8);
  const views = Object.values(tensors).map(
    ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return [head, ...views];
}

/**
 * Writes a file that is there whole or not at all.
 * Throws UserError when it exists (exit code 2; `replace` replaces it) or can't be written (exit code 1).
 */
export function writeSafetensors(
  file: string,
  tensors: Record<string, Written>,
  { metadata, replace = false }: { metadata?: Record<string, string>; replace?: boolean } = {},
): void {
  if (!replace && existsSync(file)) {
    throw new UserError('the file exists already', {
      place: file,
      fix: 'replace it with --force, or choose another with --out',
    });
  }
  try {
    makeFolders(dirname(file));
    replaceFile(file, encodeSafetensors(tensors, metadata));
  } catch (error) {
    throw fileError(error, 'could not write the tensors', file);
  }
}

/** Throws UserError that lists all that is wrong with the file. */
export function readSafetensors(
  file: string,
  { memory = availableMemory() }: { memory?: number } = {},
): Safetensors & { sha256: string } {
  const bytes = readBounded(file, memory);
  return { ...decodeSafetensors(bytes, file), sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** The file's bytes, if it is a file and they fit into `memory`. */
function readBounded(file: string, memory: number): Uint8Array {
  try {
    const found = statSync(file);
    // Before opening it: to open a named pipe would wait for its writer.
    if (!found.isFile()) throw new UserError('it is not a file', { place: file });
    if (found.size > memory) {
      throw new UserError(
        `the file has ${mebibytes(found.size)} MiB, and ${mebibytes(memory)} MiB of memory are free`,
        { place: file, fix: 'close other programs, or check that it is the right file' },
      );
    }
    return diskFileSystem.read(file);
  } catch (error) {
    throw fileError(error, 'could not read the tensors', file, { exitCode: 2 });
  }
}

const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20).toLocaleString('en');

/**
 * A zip archive or, from before 2020, a pickle by its name. Only asked of what is no safetensors file: a header may
 * begin so.
 */
const isPytorchs = (bytes: Uint8Array, file: string) =>
  Buffer.from(bytes.subarray(0, 2)).toString('latin1') === 'PK' || /\.(pth|pt)$/i.test(file);

const pytorchsFormat = (place: string) =>
  new UserError("this is PyTorch's format, not safetensors", {
    place,
    fix: 'convert it: python experiments/weights/pth_to_safetensors.py FILE',
  });

/** Downloads that brought something else than the file: the pointer of Git LFS, or a server's page. */
function somethingElse(bytes: Uint8Array, place: string): UserError | undefined {
  const start = Buffer.from(bytes.subarray(0, 200))
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (start.startsWith('version https://git-lfs.github.com/spec/')) {
    return new UserError('this is a pointer of Git LFS, not the weights themselves', {
      place,
      fix: 'fetch them: git lfs install && git lfs pull',
    });
  }
  if (/^<(!doctype|html|head|\?xml|!--)/i.test(start)) {
    return new UserError('this is a web page, not weights: a server answered the download with it', {
      place,
      fix: 'open the address in a browser (it may ask for a login), and download the file itself',
    });
  }
  return undefined;
}

/** `place` names the file in errors. The tensors may share the memory of `bytes`. Throws UserError. */
export function decodeSafetensors(bytes: Uint8Array, place: string): Safetensors {
  const fail = (problems: string[]) => {
    const shown = problems.slice(0, 20);
    if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more`);
    return new UserError(`not a sound safetensors file: ${shown.join('; ')}`, {
      place,
      fix: 'fetch or export it again',
    });
  };
  const header = readHeader(bytes);
  if (typeof header === 'string') {
    throw isPytorchs(bytes, place) ? pytorchsFormat(place) : (somethingElse(bytes, place) ?? fail([header]));
  }
  const { __metadata__: metadata = {}, ...entries } = header.json;
  const content = bytes.subarray(header.end);
  const problems: string[] = [];
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    problems.push('__metadata__ is not a mapping of strings');
  }
  const foreign = Object.entries(entries).find(
    ([, entry]) => isRecord(entry) && unread.has(entry.dtype as string),
  );
  if (foreign) {
    const [name, { dtype }] = foreign as [string, { dtype: string }];
    throw new UserError(`${JSON.stringify(name.slice(0, 100))} is of type ${dtype}, which is not read`, {
      place,
      fix: `convert the tensors to one of ${Object.keys(types).join(', ')}`,
    });
  }
  const specs: Spec[] = [];
  for (const [name, entry] of Object.entries(entries)) {
    const spec = readSpec(name, entry, content.length);
    if (typeof spec === 'string') problems.push(`${JSON.stringify(name.slice(0, 100))} ${spec}`);
    else specs.push(spec);
  }
  // Only sound ranges can be held against each other.
  if (problems.length === 0) problems.push(...checkCover(specs, content.length));
  if (problems.length > 0) throw fail(problems);
  const tensors: Record<string, Tensor> = {};
  for (const { name, dtype, shape, begin, end } of specs) {
    tensors[name] = { shape, data: types[dtype].read(content.subarray(begin, end)) };
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

interface Spec {
  name: string;
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

/** The header and where the tensors begin, or what is wrong. */
function readHeader(bytes: Uint8Array): { json: Record<string, unknown>; end: number } | string {
  if (bytes.length < 8) return `it ends after ${bytes.length} bytes, within the header's length`;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > largestHeader) return `its header claims ${length} bytes, more than ${largestHeader}`;
  const end = 8 + Number(length);
  if (end > bytes.length) return `its header claims ${length} bytes, the file has ${bytes.length - 8} left`;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, end));
    if (!text.startsWith('{')) return 'its header does not begin with {';
    return { json: JSON.parse(text), end };
  } catch (error) {
    return `its header is not JSON (${(error as Error).message.slice(0, 100)})`;
  }
}

/** One tensor's entry, or what is wrong with it. */
function readSpec(name: string, entry: unknown, size: number): Spec | string {
  if (name === '__proto__') return 'is not a name that can be used';
  if (!isRecord(entry)) return 'is not a mapping';
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(types, dtype)) {
    return `has type ${String(JSON.stringify(dtype)).slice(0, 40)}, read are ${Object.keys(types).join(', ')}`;
  }
  if (!Array.isArray(shape) || shape.length > 16 || !shape.every(isCount)) return 'has no valid shape';
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1]) {
    return 'has no valid data_offsets';
  }
  const [begin, end] = offsets as number[];
  if (end > size) return `lies at ${begin} to ${end}, outside the file's ${size} bytes of data`;
  const expected = elements(shape) * types[dtype].width;
  if (end - begin !== expected) return `has ${end - begin} bytes, [${shape}] of ${dtype} needs ${expected}`;
  return { name, dtype, shape, begin, end };
}

/** The ranges have to cover the data once and without holes, as the format demands. */
function checkCover(specs: Spec[], size: number): string[] {
  const problems: string[] = [];
  let covered = 0;
  let before = 'the header';
  for (const { name, begin, end } of [...specs].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < covered) problems.push(`"${name}" overlaps ${before}`);
    if (begin > covered) problems.push(`${begin - covered} bytes before "${name}" belong to no tensor`);
    covered = Math.max(covered, end);
    before = `"${name}"`;
  }
  if (covered < size) problems.push(`the last ${size - covered} bytes belong to no tensor`);
  return problems;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const elements = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** The bytes as numbers, in place where their address allows it. */
function aligned<T>(
  type: { new (buffer: ArrayBufferLike, offset: number, length: number): T; BYTES_PER_ELEMENT: number },
  bytes: Uint8Array,
): T {
  const { buffer, byteOffset } =
    bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return new type(buffer, byteOffset, bytes.length / type.BYTES_PER_ELEMENT);
}

/** bfloat16 is the upper half of a float32. */
function readBfloat16(bytes: Uint8Array): Float32Array {
  const halves = aligned(Uint16Array, bytes);
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

/** IEEE 754 half precision: 1 sign, 5 exponent and 10 fraction bits. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
