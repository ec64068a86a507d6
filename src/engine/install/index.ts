/**
 * Finds the engine in the cache, or puts it there. Nothing is written into node_modules; what was put there whole
 * stays, what was interrupted is never taken for whole (`store.ts`), and two processes do not build at once.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { withLock } from '../../storage/lock.js';
import { defaultSource, nvidiaDevices, type Source, type Variant } from './platform.js';
import { stockEngine } from './stock.js';
import { engineFolder, prepareStore, removePartial, storeError } from './store.js';
import { wheelEngine } from './wheel.js';

export { cacheFolder } from '../../cache.js';

export interface Engine {
  variant: Variant;
  source: Source;
  /** The library's folder in the cache. */
  folder: string;
  /** To be `process.dlopen`ed before the binding: makes the library heed TF_CPP_MIN_LOG_LEVEL from its start. */
  logLevel?: string;
  /** The path of `tfjs_binding.node`. */
  binding: string;
  /** The path of `cuda_driver.node`, where the variant is CUDA. */
  cudaDriver?: string;
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
  /** `wheel` on Linux with glibc on x64, else `stock`. */
  source?: Source;
  /** Fetches and builds everything anew. */
  force?: boolean;
  /** Reads every file of the engine and compares its checksum; what is damaged is fetched or built anew. */
  verify?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

export interface BuildOptions extends ProvisionOptions {
  /** Aborted when the process is told to end. */
  signal: AbortSignal;
  /** Prints a line of news on stderr, unless quiet. */
  say: (line: string) => void;
}

/** One way to come to an engine: look for it, or make it. */
export interface Recipe {
  source: Source;
  /** The engine if it is there. `lenient`: also one that this machine would have built otherwise. */
  find(options?: { lenient?: boolean }): Promise<Engine | undefined>;
  /** Something of a found engine is missing that could be built here. */
  isImprovable(engine: Engine): boolean;
  build(options: BuildOptions): Promise<void>;
}

/**
 * The engine, provisioned first if need be. Quick when it is there.
 * @throws UserError when something is missing that it cannot fetch, with what to do about it.
 */
export async function provisionEngine(options: ProvisionOptions = {}): Promise<Engine> {
  const recipe = await engineRecipe(options);
  const anew = options.force || options.verify;
  const found = anew ? undefined : await search(recipe, options);
  if (found && (found.source !== recipe.source || !recipe.isImprovable(found))) return found;
  return provide(recipe, options);
}

/** Makes what is missing of an engine. */
export async function provide(recipe: Recipe, options: ProvisionOptions): Promise<Engine> {
  try {
    await buildAlone(recipe, options);
  } catch (error) {
    const interrupted = error instanceof UserError && error.exitCode > 128;
    if (interrupted || options.force || options.verify) throw error;
    // What is there serves, if only because the cache is read-only here.
    const usable = await recipe.find({ lenient: true });
    if (!usable) throw error;
    return usable.nativeOps ? usable : { ...usable, nativeOpsMissing: (error as Error).message };
  }
  return (await recipe.find())!;
}

/** The engine if it is in the cache. */
export async function findEngine(options: Choice = {}): Promise<Engine | undefined> {
  return search(await engineRecipe(options), options);
}

type Choice = Pick<ProvisionOptions, 'variant' | 'source'>;

/** Where no source is named, what `gnbench setup --source stock` left serves in place of a wheel that is not there. */
async function search(recipe: Recipe, options: Choice): Promise<Engine | undefined> {
  const found = await recipe.find();
  if (found || options.source || recipe.source === 'stock') return found;
  return (await engineRecipe({ ...options, source: 'stock' })).find();
}

/** The way to the engine that the options ask for on this machine. */
function engineRecipe(options: Choice): Promise<Recipe> {
  const { variant = 'auto', source = defaultSource() } = options;
  const chosen = variant === 'auto' ? (nvidiaDevices().length > 0 ? 'cuda' : 'cpu') : variant;
  return source === 'wheel' ? wheelEngine(chosen) : stockEngine(chosen);
}

async function buildAlone(recipe: Recipe, options: ProvisionOptions) {
  const say = (line: string) => void (options.quiet || process.stderr.write(`${line}\n`));
  await prepareStore();
  await untilSignal(async (signal) => {
    const build = async () => {
      await removePartial();
      await recipe.build({ ...options, signal, say });
    };
    const onWait = (owner: string) => say(`waiting for ${owner}, which is setting up the engine`);
    await withLock(join(engineFolder(), 'lock'), build, { signal, onWait });
  });
}

const exitCodes: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** Runs `work`; a signal that asks the process to end ends it and what it has started, and tidies up. */
async function untilSignal(work: (signal: AbortSignal) => Promise<void>) {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => stop.abort(name);
  const names = Object.keys(exitCodes) as NodeJS.Signals[];
  for (const name of names) process.on(name, onSignal);
  try {
    await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw storeError(error);
    const name = stop.signal.reason as NodeJS.Signals;
    throw new UserError(`interrupted by ${name} while setting up the engine`, {
      fix: 'the same command again starts it anew',
      exitCode: exitCodes[name],
      cause: error,
    });
  } finally {
    for (const name of names) process.off(name, onSignal);
  }
}
