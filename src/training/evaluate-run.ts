/** The validation error of a configuration's network with given weights. */
import { setImmediate as yieldToSignals } from 'node:timers/promises';
import type { Config } from '../config/schema.js';
import { examplesOf } from '../datasets/dataset.js';
import { type Dataset, loadDataset } from '../datasets/index.js';
import { ffmpegPath } from '../engine/install/ffmpeg.js';
import { kernels } from '../engine/kernel-table.js';
import { planThreads } from '../engine/threads.js';
import { UserError } from '../errors.js';
import { confirmPlan, planRun } from '../models/plan.js';
import { type LoadedWeights, readWeights } from '../runs/weights.js';
import { loadTask } from '../tasks/index.js';
import { startProgress } from '../terminal/progress.js';
import { listUpTo } from '../terminal/words.js';
import { differencesShapesDoNotShow, otherClasses } from '../weights/weights-metadata.js';
import type { Evaluation } from './evaluation.js';
import type { Network } from './network.js';
import { openNetwork, openSources } from './open-network.js';

export interface EvaluateOptions {
  dataFolder?: string;
  quiet: boolean;
  debug: boolean;
  /** True to end early. */
  stopRequested(): boolean;
  note(message: string): void;
}

export interface EvaluatedWeights {
  found: Evaluation;
  images: number;
  seconds: number;
  weights: LoadedWeights;
  dataset: Dataset;
}

/**
 * Evaluates the validation images with the weights of `file`, a safetensors file or a run's folder.
 *
 * @returns undefined when it was asked to end early
 * @throws UserError for a configuration, data or weights that cannot be used, before the engine is loaded
 */
export async function evaluateWeights(
  config: Config,
  file: string,
  options: EvaluateOptions,
): Promise<EvaluatedWeights | undefined> {
  const loadedTask = await loadTask(config);
  const { task } = loadedTask;
  const planned = planRun(config, options.dataFolder, task.head);
  const dataset = await loadDataset(config.data, { ...options, ffmpeg: ffmpegPath });
  const { network: model, model: description } = confirmPlan(planned, config, dataset);
  const { variables } = description;
  const weights = readWeights(file, variables, { head: 'keep', warn: options.note });
  const other = otherClasses(weights.metadata, dataset.classNames);
  if (other) {
    throw new UserError(
      `the weights tell ${listUpTo(other.weights, 10)} apart, and the data has ${listUpTo(other.data, 10)}`,
      { place: file, fix: 'evaluate on the classes that it was trained on, in their order (data.classes)' },
    );
  }
  for (const difference of differencesShapesDoNotShow(weights.metadata, config)) {
    options.note(`warning: the weights are of a network with ${difference}`);
  }

  const { loadEngine } = await import('../engine/load.js');
  const threads = planThreads(config, config.evaluate.batchSize);
  const { precision, engine } = config;
  await loadEngine({ variant: engine.variant, precision, compiler: engine.compiler, threads, ...options });
  const network: Network = {
    // The given weights are evaluated, averages or not.
    config: { ...config, optimizer: { ...config.optimizer, emaDecay: 0 } },
    model,
    task,
    variables,
    shape: dataset.shape,
    pixels: { mean: dataset.mean, std: dataset.std },
    kernels: kernels('kernels'),
  };
  const sources = await openSources(dataset, loadedTask);
  const opened = await openNetwork(network, weights.values, sources, { eager: false });

  const images = dataset.validation.count;
  const progress = startProgress({
    label: 'evaluating',
    total: images,
    unit: examplesOf(dataset),
    quiet: options.quiet,
  });
  const started = performance.now();
  const pause = async (done: number) => {
    progress.update(done);
    await yieldToSignals();
    return options.stopRequested();
  };
  try {
    const found = await opened.evaluate(pause, true);
    const seconds = (performance.now() - started) / 1000;
    return found && { found, images, seconds, weights, dataset };
  } finally {
    progress.stop();
    opened.program.dispose();
  }
}
