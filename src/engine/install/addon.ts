/**
 * The shared objects that are compiled here against TensorFlow's library: the package's own binding, what sets the log
 * level before it, and gnbench's operations. Each lies in a folder named by a hash of all that went into it, so a
 * changed source, flag, wheel or compiler makes a new one, and only that one.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../errors.js';
import { sha256Of } from './checksum.js';
import { type Compiler, type CompilerOptions, compile, type SourceFile } from './compiler.js';
import { searchedFolders } from './cuda/layout.js';
import { nativeSources } from './kernel-sources.js';
import { cpuFeatures } from './platform.js';
import { engineFolder, publish, readComplete } from './store.js';

export interface Addon {
  name: 'log' | 'binding' | 'ops' | 'driver' | 'cuda' | 'nvrtc';
  /** The words for it while it is compiled. */
  title: string;
  /** The name of the shared object. */
  file: string;
  sources: SourceFile[];
  /** Everything whose content matters: sources and the headers beside them. */
  watched: string[];
  linkFlags: string[];
  /** The beginning of its folder's name: a hash of all of this. */
  prefix: string;
}

/** The library that an addon is built against: a folder of the store that holds `tensorflow/`. */
export interface BuildLibrary {
  /** Its folder's name in the store. */
  name: string;
  /** sha256 of the wheel. */
  wheel: string;
}

const require = createRequire(import.meta.url);
/** The C++ is compiled from where it is written: it has no copy in dist/. */
const sourceFolder = fileURLToPath(new URL('../../../src/engine/', import.meta.url));
const nativeFolder = join(sourceFolder, 'kernels');

/** `log-level.cc`: loaded first, as TensorFlow logs while its library is being loaded. */
export async function logAddon(library: BuildLibrary): Promise<Addon> {
  const path = join(sourceFolder, 'install', 'log-level.cc');
  return withPrefix(library, {
    name: 'log',
    title: "the switch of TensorFlow's log",
    file: 'log_level.node',
    sources: [{ path, flags: compileFlags(library) }],
    watched: [path],
    linkFlags: [...linkFlags(library, ['framework']), '-Wl,-z,initfirst'],
  });
}

/** TensorFlow.js's own binding, unchanged. */
export async function bindingAddon(library: BuildLibrary): Promise<Addon> {
  const folder = fileURLToPath(new URL('../../../vendor/tfjs-node/binding', import.meta.url));
  const names = (await readdir(folder)).filter((name) => /\.(cc|h)$/.test(name)).sort();
  const files = names.map((name) => join(folder, name));
  const flags = [...compileFlags(library), `-I${dirname(folder)}`];
  return withPrefix(library, {
    name: 'binding',
    title: "TensorFlow's binding for Node",
    file: 'tfjs_binding.node',
    sources: files.filter((path) => path.endsWith('.cc')).map((path) => ({ path, flags })),
    watched: files,
    linkFlags: linkFlags(library),
  });
}

/** gnbench's operations (`src/engine/kernels`); undefined while there are none. */
export async function opsAddon(library: BuildLibrary): Promise<Addon | undefined> {
  if (nativeSources.length === 0) return undefined;
  const files = (await readdir(nativeFolder, { recursive: true }))
    // Code of tests is not compiled into it, and the npm package has none; that for GPUs is an addon of its own.
    .filter((name) => /\.(cc|h)$/.test(name) && !/^(testing|cuda)\b/.test(name))
    .sort();
  const flags = [...compileFlags(library), `-I${nativeFolder}`];
  return withPrefix(library, {
    name: 'ops',
    title: "gnbench's operations",
    file: 'gnbench_ops.node',
    sources: nativeSources.map((source) => ({
      path: join(nativeFolder, source.file),
      flags: [...flags, ...source.flags],
    })),
    watched: files.map((name) => join(nativeFolder, name)),
    linkFlags: linkFlags(library),
  });
}

/**
 * gnbench's operations on a GPU (`src/engine/kernels/cuda`), to be loaded after the others, which define them. What runs on
 * the GPU itself is compiled later, for the GPU that is there.
 */
export async function cudaAddon(library: BuildLibrary): Promise<Addon> {
  const folder = join(nativeFolder, 'cuda');
  const headers = async (within: string) =>
    (await readdir(within)).filter((name) => name.endsWith('.h')).map((name) => join(within, name));
  const folders = [
    nativeFolder,
    join(nativeFolder, 'ops'),
    join(nativeFolder, 'ops', 'inputs'),
    folder,
    join(folder, 'device'),
  ];
  const path = join(folder, 'ops.cc');
  return withPrefix(library, {
    name: 'cuda',
    title: "gnbench's operations on a GPU",
    file: 'gnbench_cuda.node',
    sources: [{ path, flags: [...compileFlags(library), `-I${nativeFolder}`] }],
    watched: [path, ...(await Promise.all(folders.map(headers))).flat().sort()],
    linkFlags: [...linkFlags(library), '-ldl'],
  });
}

/** `src/engine/kernels/cuda/compiler.cc`: calls NVRTC. */
export async function nvrtcAddon(library: BuildLibrary): Promise<Addon> {
  const path = join(nativeFolder, 'cuda', 'compiler.cc');
  return withPrefix(library, {
    name: 'nvrtc',
    title: 'what calls the compiler for GPUs',
    file: 'nvrtc.node',
    sources: [{ path, flags: compileFlags(library) }],
    watched: [path],
    linkFlags: ['-ldl'],
  });
}

/** `cuda/driver.cc`: finds CUDA's libraries where TensorFlow's own does, and asks the driver about the GPUs. */
export async function driverAddon(library: BuildLibrary): Promise<Addon> {
  const path = join(sourceFolder, 'install', 'cuda', 'driver.cc');
  const folders = searchedFolders.map((name) => `$ORIGIN/../${library.name}/nvidia/${name}/lib`);
  return withPrefix(library, {
    name: 'driver',
    title: "what asks NVIDIA's driver",
    file: 'cuda_driver.node',
    sources: [{ path, flags: compileFlags(library) }],
    watched: [path],
    linkFlags: [`-Wl,-rpath,${folders.join(':')}`, '-ldl'],
  });
}

const withPrefix = async (library: BuildLibrary, addon: Omit<Addon, 'prefix'>): Promise<Addon> => ({
  ...addon,
  prefix: await prefixOf(addon, library),
});

function compileFlags(library: BuildLibrary): string[] {
  const nodeHeaders = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  const include = join(engineFolder(), library.name, 'tensorflow', 'include');
  // The last two are what the wheel itself was compiled with: they decide about layouts in its headers.
  const wheel = ['-DEIGEN_MAX_ALIGN_BYTES=64', '-DNDEBUG'];
  return [
    '-std=c++17',
    '-O2',
    '-fPIC',
    '-w',
    '-DNAPI_VERSION=8',
    ...wheel,
    `-I${nodeHeaders}`,
    `-isystem${include}`,
  ];
}

function linkFlags(library: BuildLibrary, libraries = ['cc', 'framework']): string[] {
  return [
    `-L${join(engineFolder(), library.name, 'tensorflow')}`,
    ...libraries.map((name) => `-l:libtensorflow_${name}.so.2`),
    // Relative: the cache may be moved, or be mounted elsewhere on another machine.
    `-Wl,-rpath,$ORIGIN/../${library.name}/tensorflow`,
  ];
}

/** The beginning of its folder's name: a hash of all that goes into it, but for the compiler. */
async function prefixOf(addon: Omit<Addon, 'prefix'>, library: BuildLibrary): Promise<string> {
  const hash = createHash('sha256').update(`1 ${library.name} ${library.wheel} ${process.arch}\n`);
  // Paths differ from machine to machine; what lies there is hashed below.
  const plain = (flags: string[]) => flags.filter((flag) => !/^-(I|L|isystem)/.test(flag)).join(' ');
  for (const source of addon.sources) hash.update(`${basename(source.path)} ${plain(source.flags)}\n`);
  hash.update(`${plain(addon.linkFlags)}\n`);
  // Code for the very processor that compiles it is of no use to another one that shares the cache.
  const native = addon.sources.some(({ flags }) => flags.some((flag) => /^-m\w+=native$/.test(flag)));
  if (native) hash.update(`${cpuFeatures()}\n`);
  for (const path of addon.watched)
    hash
      .update(`${basename(path)}\n`)
      .update(await readFile(path))
      .update('\0');
  return `${addon.name}-${hash.digest('hex').slice(0, 16)}-`;
}

const folderName = (addon: Addon, compiler: Compiler) =>
  addon.prefix + createHash('sha256').update(compiler.version).digest('hex').slice(0, 8);

/**
 * The built addon's path, if it is there. With a compiler only what that compiler built counts; without one, what
 * any machine left in the shared cache.
 */
export async function findAddon(addon: Addon, compiler?: Compiler): Promise<string | undefined> {
  const names = compiler
    ? [folderName(addon, compiler)]
    : (await readdir(engineFolder()).catch(() => [])).filter((name) => name.startsWith(addon.prefix)).sort();
  for (const name of names) {
    const folder = join(engineFolder(), name);
    if (await readComplete(folder)) return join(folder, addon.file);
  }
  return undefined;
}

/** Compiles an addon into the store. */
export async function buildAddon(
  addon: Addon,
  library: BuildLibrary,
  compiler: Compiler,
  options: CompilerOptions,
) {
  await publish(folderName(addon, compiler), async (scratch) => {
    const objects = join(scratch, 'objects');
    await mkdir(objects);
    const output = join(scratch, addon.file);
    await compile(compiler, addon, output, objects, options);
    await rm(objects, { recursive: true });
    if ((await prefixOf(addon, library)) !== addon.prefix) {
      throw new UserError(`the sources of ${addon.file} were changed while they were compiled`, {
        fix: 'the same command again compiles the new ones',
        exitCode: 1,
      });
    }
    await chmod(output, 0o755); // whatever the umask
    const file = await open(output, 'r');
    await file.sync();
    await file.close();
    return {
      facts: { compiler: compiler.version, library: library.name },
      files: { [addon.file]: { size: (await stat(output)).size, sha256: await sha256Of(output) } },
    };
  });
  await rm(failureFile(addon, compiler), { force: true });
}

const failureFile = (addon: Addon, compiler: Compiler) =>
  join(engineFolder(), `${folderName(addon, compiler)}.failed`);

/** Remembers why it could not be compiled, so that not every start tries in vain. */
export async function recordFailure(addon: Addon, compiler: Compiler, reason: string): Promise<void> {
  await writeFile(failureFile(addon, compiler), reason, { mode: 0o644 });
}

/** Why the same sources could not be compiled by the same compiler, if that was tried. */
export async function readFailure(addon: Addon, compiler: Compiler): Promise<string | undefined> {
  return readFile(failureFile(addon, compiler), 'utf8').catch(() => undefined);
}
