import type { Experiment } from './experiment.js';

/**
 * Provides the engine and the data before the first run starts: children that start together need not wait for one of
 * them to download, and a cluster's nodes may have no network. Loaded only when something is to run.
 *
 * @throws UserError when either cannot be had
 */
export async function prepare(
  experiments: readonly Experiment[],
  options: { data?: string; quiet?: boolean; debug?: boolean },
): Promise<void> {
  const configs = experiments.flatMap(({ cells }) => cells.map(({ config }) => config));
  const { provisionEngine } = await import('../engine/provision/index.js');
  for (const variant of new Set(configs.map(({ engine }) => engine.variant))) {
    await provisionEngine({ variant, quiet: options.quiet, debug: options.debug });
  }
  const { provideCifar } = await import('../data/provide.js');
  const { cifar10, cifar100 } = await import('../data/checksums.js');
  const names = new Set<string>(configs.map(({ data }) => data.name));
  for (const version of [cifar10, cifar100].filter(({ name }) => names.has(name))) {
    await provideCifar(version, { dataFolder: options.data, quiet: options.quiet });
  }
}
