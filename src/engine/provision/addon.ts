/**
 * The two shared objects that are compiled here against TensorFlow's library: the package's own binding, and
 * gnbench's operations. Each lies in a folder named by a hash of all that went into it, so a changed source, flag,
 * wheel or compiler makes a new one, and only that one.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CompileOptions, type Compiler, compile, type Source } from './compiler.js';
import { cpuFeatures } from './platform.js';
import { engineFolder, publish, readComplete, sha256Of } from './store.js';

export interface Addon {
  name: 'binding' | 'ops';
  /** The name of the shared object. */
  file: string;
  sources: Source[];
  /** Everything whose content matters: sources and the headers beside them. */
  watched: string[];
  linkFlags: string[];
}

/** What an addon is built against: a folder of the store that holds `tensorflow/`. */
export interface Library {
  /** Its folder's name in the store. */
  name: string;
  /** sha256 of the wheel. */
  wheel: string;
}

const require = createRequire(import.meta.url);
const nativeFolder = fileURLToPath(new URL('../../../src/engine/native/', import.meta.url));

/** The `binding/*.cc` of @tensorflow/tfjs-node-gpu, unchanged. */
export async function bindingAddon(library: Library): Promise<Addon> {
  const folder = join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'binding');
  const files = (await readdir(folder)).filter((name) => /\.(cc|h)$/.test(name)).sort();
  const flags = [...compileFlags(library), `-I${dirname(folder)}`];
  return {
    name: 'binding',
    file: 'tfjs_binding.node',
    sources: files
      .filter((name) => name.endsWith('.cc'))
      .map((name) => ({ path: join(folder, name), flags })),
    watched: files.map((name) => join(folder, name)),
    linkFlags: linkFlags(library),
  };
}

/** gnbench's operations (`src/engine/native`); undefined while there are none. */
export async function opsAddon(library: Library): Promise<Addon | undefined> {
  const recipe = await import(nativeRecipe).catch(() => undefined);
  const nativeSources = (recipe?.nativeSources ?? []) as { file: string; flags: string[] }[];
  if (nativeSources.length === 0) return undefined;
  const files = (await readdir(nativeFolder)).filter((name) => /\.(cc|h|inc)$/.test(name)).sort();
  const flags = [...compileFlags(library), `-I${nativeFolder}`];
  return {
    name: 'ops',
    file: 'gnbench_ops.node',
    sources: nativeSources.map((source) => ({
      path: join(nativeFolder, source.file),
      flags: [...flags, ...source.flags],
    })),
    watched: files.map((name) => join(nativeFolder, name)),
    linkFlags: linkFlags(library),
  };
}

const nativeRecipe: string = '../native/sources.js';

function compileFlags(library: Library): string[] {
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

function linkFlags(library: Library): string[] {
  return [
    `-L${join(engineFolder(), library.name, 'tensorflow')}`,
    '-l:libtensorflow_cc.so.2',
    '-l:libtensorflow_framework.so.2',
    // Relative: the cache may be moved, or be mounted elsewhere on another machine.
    `-Wl,-rpath,$ORIGIN/../${library.name}/tensorflow`,
  ];
}

/** The name of its folder, without the compiler: `<name>-<variant…>-<hash>-`. */
async function prefixOf(addon: Addon, library: Library): Promise<string> {
  const hash = createHash('sha256').update(`1 ${library.name} ${library.wheel} ${process.arch}\n`);
  const here = (flag: string) => flag.replaceAll(engineFolder(), '').replaceAll(nativeFolder, '');
  for (const source of addon.sources) {
    // Paths differ from machine to machine; what they hold is hashed below.
    hash.update(
      `${basename(source.path)} ${source.flags.filter((flag) => !/^-(I|isystem)/.test(flag)).map(here)}\n`,
    );
  }
  // Code for the very processor that compiles it is of no use to another one that shares the cache.
  if (addon.sources.some(({ flags }) => flags.some((flag) => /^-m(arch|tune|cpu)=native$/.test(flag)))) {
    hash.update(`${cpuFeatures()}\n`);
  }
  for (const path of addon.watched)
    hash
      .update(`${basename(path)}\0`)
      .update(await readFile(path))
      .update('\0');
  return `${addon.name}-${hash.digest('hex').slice(0, 16)}-`;
}

const compilerTag = (compiler: Compiler) =>
  createHash('sha256').update(compiler.version).digest('hex').slice(0, 8);

/**
 * The built addon's path. With a compiler on this machine only what that compiler built counts; a machine
 * without one takes what another machine left in the shared cache.
 */
export async function findAddon(
  addon: Addon,
  library: Library,
  compiler?: Compiler,
): Promise<string | undefined> {
  const prefix = await prefixOf(addon, library);
  const names = compiler
    ? [prefix + compilerTag(compiler)]
    : (await readdir(engineFolder()).catch(() => [])).filter((name) => name.startsWith(prefix)).sort();
  for (const name of names) {
    const folder = join(engineFolder(), name);
    if (await readComplete(folder)) return join(folder, addon.file);
  }
  return undefined;
}

/** Compiles an addon into the store and returns its path. */
export async function buildAddon(
  addon: Addon,
  library: Library,
  compiler: Compiler,
  options: CompileOptions = {},
): Promise<string> {
  const name = (await prefixOf(addon, library)) + compilerTag(compiler);
  const folder = await publish(name, async (scratch) => {
    const objects = join(scratch, 'objects');
    await mkdir(objects);
    const output = join(scratch, addon.file);
    await compile(compiler, addon.sources, addon.linkFlags, output, objects, options);
    await rm(objects, { recursive: true });
    const file = await open(output, 'r');
    await file.sync();
    await file.close();
    return {
      facts: { compiler: compiler.version, library: library.name },
      files: { [addon.file]: { size: (await stat(output)).size, sha256: await sha256Of(output) } },
    };
  });
  return join(folder, addon.file);
}
