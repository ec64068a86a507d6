/**
 * Finds the engine in the cache, or puts it there. Nothing is written into node_modules; what was put there whole
 * stays, what was interrupted is never taken for whole (`store.ts`), and two processes do not build at once.
 */
import { UserError } from '../../errors.js';
import { defaultSource, nvidiaDevices } from './platform.js';
import type { Engine, ProvisionOptions, Recipe } from './recipe.js';
import { stockEngine } from './stock.js';
import { storeAlone } from './store.js';
import { wheelEngine } from './wheel.js';

export type { Engine, ProvisionOptions } from './recipe.js';

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
    // The engine that is there will do, for instance because the cache is read-only here.
    const usable = await recipe.find({ lenient: true });
    if (!usable) throw error;
    return usable.nativeOps ? usable : { ...usable, nativeOpsMissing: (error as Error).message };
  }
  return (await recipe.find())!;
}

/** The engine if it is in the cache. */
export async function findEngine(options: EngineChoice = {}): Promise<Engine | undefined> {
  return search(await engineRecipe(options), options);
}

type EngineChoice = Pick<ProvisionOptions, 'variant' | 'source'>;

/**
 * Finds the engine. If no source is named, one that `gnbench setup --source stock` left takes the place of a missing
 * wheel.
 */
async function search(recipe: Recipe, options: EngineChoice): Promise<Engine | undefined> {
  const found = await recipe.find();
  if (found || options.source || recipe.source === 'stock') return found;
  return (await engineRecipe({ ...options, source: 'stock' })).find();
}

/** The way to the engine that the options ask for on this machine. */
function engineRecipe(options: EngineChoice): Promise<Recipe> {
  const { variant = 'auto', source = defaultSource() } = options;
  const chosen = variant === 'auto' ? (nvidiaDevices().length > 0 ? 'cuda' : 'cpu') : variant;
  return source === 'wheel' ? wheelEngine(chosen) : stockEngine(chosen);
}

async function buildAlone(recipe: Recipe, options: ProvisionOptions) {
  const say = (line: string) => void (options.quiet || process.stderr.write(`${line}\n`));
  await storeAlone((signal) => recipe.build({ ...options, signal, say }), { what: 'the engine', say });
}
