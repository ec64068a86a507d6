/**
 * gnbench's kernels on an NVIDIA GPU: CUDA C++ that is compiled for the GPU at hand when they are first wanted, by the NVRTC
 * that comes with the engine, and kept in the cache by source, architecture and version of NVRTC.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../cache.js';
import { makeFolders, placeFile } from '../storage/files.js';
import { isSystemError } from '../storage/system-errors.js';
import type { CudaOps } from './install/recipe.js';

/** The exports of `nvrtc.node` (kernels/cuda/compiler.cc). */
export interface KernelCompiler {
  /** The version of the NVRTC at a path, and the architectures that it knows: 70 is sm_70. */
  describe(nvrtc: string): { version: string; architectures: number[] };
  compile(
    nvrtc: string,
    name: string,
    source: string,
    headerNames: string[],
    headers: string[],
    architecture: string,
  ): Uint8Array;
}

/** The exports of `gnbench_cuda.node` (kernels/cuda/exports.h). */
export interface CudaAddon {
  provide(file: string, image: Uint8Array): void;
  operations(): string[];
}

/** A file of kernels, and the headers that it may include. */
export interface KernelSource {
  /** Without `.cu`. */
  name: string;
  text: string;
  headers: Record<string, string>;
}

/** Written once, in src/: there is no copy in dist/. */
const deviceFolder = fileURLToPath(new URL('../../src/engine/kernels/cuda/device', import.meta.url));

export function kernelSources(folder = deviceFolder): KernelSource[] {
  const names = readdirSync(folder).sort();
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const headers = Object.fromEntries(
    names.filter((name) => name.endsWith('.h')).map((name) => [name, read(name)]),
  );
  return names
    .filter((name) => name.endsWith('.cu'))
    .map((name) => ({ name: name.slice(0, -3), text: read(name), headers }));
}

/** Machine code for a GPU that NVRTC knows; for a newer one, code that the driver compiles. 90: capability 9.0. */
export function architectureFor(capability: number, known: readonly number[]): string {
  if (known.includes(capability)) return `sm_${capability}`;
  return `compute_${Math.max(...known.filter((each) => each < capability))}`;
}

/** The compiled kernels of a file, from the cache where it has them. */
export async function compiled(
  source: KernelSource,
  architecture: string,
  nvrtc: string,
  compiler: KernelCompiler,
): Promise<Uint8Array> {
  const { name, text, headers } = source;
  const { version } = compiler.describe(nvrtc);
  const key = createHash('sha256').update(JSON.stringify([1, version, architecture, text, headers]));
  const folder = join(cacheFolder(), 'cuda-kernels');
  const path = join(folder, `${name}-${architecture}-${key.digest('hex').slice(0, 16)}`);
  if (existsSync(path)) return readFileSync(path);
  const [names, contents] = [Object.keys(headers), Object.values(headers)];
  const image = compiler.compile(nvrtc, `${name}.cu`, text, names, contents, architecture);
  try {
    makeFolders(folder);
    await placeFile(path, image);
  } catch (error) {
    // A cache that is only readable, or full: they are compiled again the next time.
    if (!isSystemError(error)) throw error;
  }
  return image;
}

/**
 * Registers gnbench's operations on a GPU, with their kernels.
 * @param folder the engine's @param capability the GPU's, 90 for 9.0
 * @returns the names of the operations
 */
export async function openCudaKernels(ops: CudaOps, folder: string, capability: number): Promise<string[]> {
  const compiler = load<KernelCompiler>(ops.compiler);
  const addon = load<CudaAddon>(ops.addon);
  const nvrtc = join(folder, 'nvidia/cuda_nvrtc/lib/libnvrtc.so.12');
  const architecture = architectureFor(capability, compiler.describe(nvrtc).architectures);
  for (const source of kernelSources()) {
    addon.provide(source.name, await compiled(source, architecture, nvrtc, compiler));
  }
  return addon.operations();
}

export function load<Exports>(path: string): Exports {
  const addon = { exports: {} as Exports };
  process.dlopen(addon, path);
  return addon.exports;
}
