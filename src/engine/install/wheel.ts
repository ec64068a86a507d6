/** The engine from PyPI's wheel: TensorFlow's library is fetched, binding and operations are compiled against it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import {
  type Addon,
  type BuildLibrary,
  bindingAddon,
  buildAddon,
  cudaAddon,
  driverAddon,
  findAddon,
  logAddon,
  nvrtcAddon,
  opsAddon,
  readFailure,
  recordFailure,
} from './addon.js';
import { damagedFiles } from './checksum.js';
import { CompileError, type Compiler, findCompiler, missingCompiler } from './compiler.js';
import { linkLibraries, missingLinks } from './cuda/layout.js';
import { defaultSource, installCommand, type Variant } from './platform.js';
import type { BuildOptions, Engine, Recipe } from './recipe.js';
import { type Complete, checkOwnership, engineFolder, headerList, readComplete } from './store.js';
import { pins, tensorflowVersion, type Wheel, wheels } from './wheels.js';

export async function wheelEngine(variant: Variant, list: Wheel[] = wheels[variant]): Promise<Recipe> {
  if (defaultSource() !== 'wheel') {
    throw new UserError("TensorFlow's wheel is for Linux with glibc on x64", {
      fix: 'npx gnbench setup --source stock',
    });
  }
  const library: BuildLibrary = {
    name: `tensorflow-${tensorflowVersion}-${variant}-${process.platform}-${process.arch}`,
    wheel: list[0].sha256,
  };
  const onGpu = variant === 'cuda';
  const [log, binding, driver, ops, cuda, compiler] = await Promise.all([
    logAddon(library),
    bindingAddon(library),
    onGpu ? driverAddon(library) : undefined,
    opsAddon(library),
    onGpu ? Promise.all([cudaAddon(library), nvrtcAddon(library)]) : [],
    findCompiler(),
  ]);
  const folder = join(engineFolder(), library.name);
  const parts: Parts = { wheels: list, library, folder, log, binding, driver, ops, cuda, compiler };
  const untried = async (addon: Addon) => compiler && !(await readFailure(addon, compiler));
  const opsUntried = ops && (await untried(ops));
  const cudaUntried = (await Promise.all(cuda.map(untried))).every((each) => each) && onGpu;

  return {
    source: 'wheel',
    async find({ lenient = false } = {}): Promise<Engine | undefined> {
      if (!(await findLibrary(parts))) return undefined;
      if (!lenient && (await missingLinks(folder)).length > 0) return undefined;
      await checkOwnership();
      const builder = lenient ? undefined : compiler;
      const logLevel = await findAddon(log, builder);
      const found = await findAddon(binding, builder);
      if (!found || !logLevel) return undefined;
      const cudaDriver = driver && (await findAddon(driver, builder));
      if (driver && !cudaDriver && !lenient) return undefined;
      const nativeOps = ops && (await findAddon(ops, builder));
      const nativeOpsMissing = nativeOps ? undefined : await whyNoOps(parts);
      const [cudaOps, nvrtc] = await Promise.all(cuda.map((addon) => findAddon(addon, builder)));
      const facts = { variant, source: 'wheel', tensorflow: tensorflowVersion } as const;
      return {
        ...facts,
        folder,
        logLevel,
        binding: found,
        cudaDriver,
        nativeOps,
        nativeOpsMissing,
        cudaOps: cudaOps && nvrtc ? { addon: cudaOps, compiler: nvrtc } : undefined,
      };
    },
    isImprovable: (engine) => (!engine.nativeOps && !!opsUntried) || (!engine.cudaOps && cudaUntried),
    build: (options) => build(parts, options),
  };
}

interface Parts {
  wheels: Wheel[];
  library: BuildLibrary;
  folder: string;
  log: Addon;
  binding: Addon;
  /** For CUDA. */
  driver?: Addon;
  ops?: Addon;
  /** For CUDA: gnbench's operations on a GPU, and what compiles their kernels. */
  cuda: Addon[];
  compiler?: Compiler;
}

async function findLibrary({ folder, wheels }: Parts): Promise<Complete | undefined> {
  const complete = await readComplete(folder);
  // A later version of gnbench may pin other wheels under the same version of TensorFlow.
  return complete && JSON.stringify(complete.facts) === JSON.stringify(pins(wheels)) ? complete : undefined;
}

async function whyNoOps({ ops, compiler }: Parts): Promise<string> {
  if (!ops) return 'this version has none';
  if (!compiler) return `there is no C++ compiler: ${installCommand('compiler')}`;
  return (await readFailure(ops, compiler)) ?? 'not built yet: npx gnbench setup';
}

/** Makes what is missing (all of it with `force`, what is damaged too with `verify`); runs under the lock. */
async function build(parts: Parts, options: BuildOptions) {
  const { wheels, library, log, binding, driver, ops, compiler } = parts;
  if (options.force || !(await hasLibrary(parts, options))) {
    // Before the download: without one it would be in vain, unless a binding is there already.
    if (!compiler && (options.force || !(await findAddon(binding)))) throw missingCompiler();
    const { installLibrary } = await import('./library.js');
    await installLibrary(wheels, library.name, options);
  }
  await linkLibraries(parts.folder);
  for (const addon of [log, binding, ...(driver ? [driver] : [])]) {
    if (!options.force && (await hasAddon(addon, compiler, options))) continue;
    if (!compiler) throw missingCompiler();
    options.say(`compiling ${addon.title} …`);
    await buildAddon(addon, library, compiler, options);
  }
  for (const addon of [...(ops ? [ops] : []), ...parts.cuda]) {
    if (!compiler || (!options.force && (await hasAddon(addon, compiler, options)))) continue;
    options.say(`compiling ${addon.title} …`);
    await buildAddon(addon, library, compiler, options).catch(async (error) => {
      // Everything works without them, only slower.
      if (options.signal.aborted || !(error instanceof CompileError)) throw error;
      await recordFailure(addon, compiler, error.message);
      options.say(`they are left out, the composed operations serve: ${error.message}`);
    });
  }
}

async function hasLibrary(parts: Parts, options: BuildOptions): Promise<boolean> {
  const complete = await findLibrary(parts);
  if (!complete || !options.verify) return complete !== undefined;
  const headers = await readFile(join(parts.folder, headerList), 'utf8')
    .then(JSON.parse)
    .catch(() => ({}));
  const damaged = await damagedFiles(parts.folder, { ...headers, ...complete.files }, options);
  if (damaged.length > 0)
    options.say(`${damaged[0]} is damaged (${damaged.length} in all): fetching it anew`);
  return damaged.length === 0;
}

async function hasAddon(
  addon: Addon,
  compiler: Compiler | undefined,
  options: BuildOptions,
): Promise<boolean> {
  const path = await findAddon(addon, compiler);
  if (!path || !options.verify) return path !== undefined;
  const folder = join(path, '..');
  const complete = await readComplete(folder);
  return complete !== undefined && (await damagedFiles(folder, complete.files, { quiet: true })).length === 0;
}
