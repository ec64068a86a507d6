import type { Experiment } from '../experiments/experiment.js';
import { requireWeights, weightsOf } from '../runs/initial-weights.js';
import { summaryOf } from '../runs/summary.js';
import { predecessorsOf } from './predecessors.js';

/**
 * Provides the engine and the data before the first run starts: children that start together need not wait for one of
 * them to download, and a cluster's nodes may have no network. Loaded only when something is to run.
 *
 * @throws UserError when either cannot be had, or the weights that a run begins with are not there
 */
export async function prepare(
  experiments: readonly Experiment[],
  options: { data?: string; quiet?: boolean; debug?: boolean },
): Promise<void> {
  const runs = experiments.flatMap((experiment) => experiment.runs);
  const predecessors = predecessorsOf(runs);
  for (const run of runs) {
    const { init } = run.cell.config;
    const maker = predecessors.get(run);
    // One that is to be run makes them first; one that is done elsewhere may have left its weights there.
    const isToCome = maker !== undefined && summaryOf(maker.folder) === undefined;
    const isReady = summaryOf(run.folder) !== undefined || isToCome;
    if (init && !isReady) requireWeights(weightsOf(init, run.seed));
  }
  const configs = experiments.flatMap(({ cells }) => cells.map(({ config }) => config));
  const { provisionEngine } = await import('../engine/install/index.js');
  for (const variant of new Set(configs.map(({ engine }) => engine.variant))) {
    await provisionEngine({ variant, quiet: options.quiet, debug: options.debug });
  }
  const { provideCifar, provideImagenette } = await import('../datasets/download/provide.js');
  const { cifar10, cifar100 } = await import('../datasets/checksums.js');
  const names = new Set<string>(configs.map(({ data }) => data.name));
  for (const version of [cifar10, cifar100].filter(({ name }) => names.has(name))) {
    await provideCifar(version, { dataFolder: options.data, quiet: options.quiet });
  }
  const { imagenetteVersions } = await import('../datasets/imagenette.js');
  const sizes = new Set(configs.flatMap(({ data }) => (data.name === 'imagenette' ? [data.size] : [])));
  for (const size of sizes)
    await provideImagenette(imagenetteVersions[size], { dataFolder: options.data, quiet: options.quiet });
}
