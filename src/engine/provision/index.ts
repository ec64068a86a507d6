/**
 * Finds the engine in the cache, or puts it there: TensorFlow's library out of a pinned wheel, the binding and
 * gnbench's operations compiled against it. Nothing is written into node_modules.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { type Addon, bindingAddon, buildAddon, findAddon, type Library, opsAddon } from './addon.js';
import { type Compiler, findCompiler, missingCompiler } from './compiler.js';
import { installLibrary, wheelLibrary } from './library.js';
import { acquireLock } from './lock.js';
import { installCommand, nvidiaDevices, type Source, type Variant } from './platform.js';
import {
  checkOwnership,
  engineFolder,
  prepareStore,
  readComplete,
  removePartial,
  storeError,
} from './store.js';
import { tensorflowVersion } from './wheels.js';

export { cacheFolder } from '../../cache.js';

export interface Engine {
  variant: Variant;
  source: Source;
  /** The library's folder in the cache. */
  folder: string;
  /** The path of `tfjs_binding.node`. */
  binding: string;
  /** The path of `gnbench_ops.node`; undefined if it could not be built. */
  nativeOps?: string;
  /** Why there is none. */
  nativeOpsMissing?: string;
  /** TensorFlow's version. */
  tensorflow: string;
}

export interface ProvisionOptions {
  /** `auto`: CUDA where there is an NVIDIA device, else CPU. */
  variant?: 'auto' | Variant;
  source?: Source;
  /** Fetches and builds everything anew. */
  force?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

interface Plan {
  variant: Variant;
  library: Library;
  binding: Addon;
  ops?: Addon;
  compiler?: Compiler;
}

/**
 * The engine, provisioned first if need be. Quick when it is there.
 * @throws UserError when something is missing that it cannot fetch, with what to do about it.
 */
export async function provisionEngine(options: ProvisionOptions = {}): Promise<Engine> {
  const wanted = options.variant ?? 'auto';
  const variant = wanted === 'auto' ? (nvidiaDevices().length > 0 ? 'cuda' : 'cpu') : wanted;
  const library = wheelLibrary(variant);
  const [binding, ops, compiler] = await Promise.all([
    bindingAddon(library),
    opsAddon(library),
    findCompiler(),
  ]);
  const plan: Plan = { variant, library, binding, ops, compiler };
  const found = options.force ? undefined : await find(plan);
  if (found && (found.nativeOps || !ops || !compiler)) return found;
  return build(plan, options);
}

/** The engine if library and binding are there. */
async function find(plan: Plan): Promise<Engine | undefined> {
  const folder = join(engineFolder(), plan.library.name);
  if (!(await readComplete(folder))) return undefined;
  await checkOwnership();
  const binding = await findAddon(plan.binding, plan.library, plan.compiler);
  const nativeOps = plan.ops && (await findAddon(plan.ops, plan.library, plan.compiler));
  if (!binding) return undefined;
  return {
    variant: plan.variant,
    source: 'wheel',
    folder,
    binding,
    nativeOps,
    nativeOpsMissing: nativeOps ? undefined : whyNoOps(plan),
    tensorflow: tensorflowVersion,
  };
}

function whyNoOps(plan: Plan): string {
  if (!plan.ops) return 'there are none in this version';
  return plan.compiler
    ? 'they have not been built'
    : `there is no C++ compiler (${installCommand('compiler')})`;
}

async function build(plan: Plan, options: ProvisionOptions): Promise<Engine> {
  const say = (line: string) => options.quiet || process.stderr.write(`${line}\n`);
  await prepareStore();
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => stop.abort(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, onSignal);
  const { signal } = stop;
  try {
    const release = await acquireLock(join(engineFolder(), 'lock'), {
      signal,
      onWait: (owner) => say(`waiting for ${owner}, which is setting up the engine`),
    });
    try {
      await removePartial();
      const folder = join(engineFolder(), plan.library.name);
      if (options.force || !(await readComplete(folder))) {
        if (!plan.compiler) throw missingCompiler();
        await installLibrary(plan.variant, { ...options, signal });
      }
      for (const addon of [plan.binding, plan.ops]) {
        if (!addon || (!options.force && (await findAddon(addon, plan.library, plan.compiler)))) continue;
        if (!plan.compiler) throw missingCompiler();
        say(
          `compiling ${addon.name === 'binding' ? "TensorFlow's binding for Node" : "gnbench's operations"} …`,
        );
        await buildAddon(addon, plan.library, plan.compiler, { signal, debug: options.debug });
      }
      return (await find(plan))!;
    } finally {
      await release();
    }
  } catch (error) {
    if (!signal.aborted) throw storeError(error);
    const name = signal.reason as NodeJS.Signals;
    const exitCode = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[name as (typeof signals)[number]];
    throw new UserError(`interrupted by ${name}: the engine is not set up yet`, { exitCode, cause: error });
  } finally {
    for (const name of signals) process.off(name, onSignal);
  }
}
