/** The validation error of a configuration's network with given weights. */
import { setImmediate as yieldToSignals } from 'node:timers/promises';
import type { Config } from '../config/schema.js';
import { type Dataset, loadDataset } from '../datasets/index.js';
import { kernels } from '../engine/kernel-table.js';
import { planThreads } from '../engine/threads.js';
import { createModel } from '../models/index.js';
import { planRun } from '../models/plan.js';
import { describeModel } from '../nn/shape-net.js';
import { startProgress } from '../terminal/progress.js';
import { type LoadedWeights, readWeights } from '../weights/weights.js';
import { silentDifferences } from '../weights/weights-metadata.js';
import { type Evaluation, evaluate, evaluationBatches } from './evaluation.js';
import { preciseImages, statisticsBatch, withPreciseStatistics } from './precise-statistics.js';
import { defineEvaluation, defineStatistics, type Network } from './steps.js';

export interface EvaluateOptions {
  dataFolder?: string;
  quiet: boolean;
  debug: boolean;
  /** Whether to end early. */
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
  planRun(config, options.dataFolder);
  const dataset = await loadDataset(config.data, options);
  const model = createModel(config.model, dataset.classes);
  const { variables } = describeModel(model, config.normalizer, dataset);
  const weights = readWeights(file, variables, { head: 'keep', warn: options.note });
  for (const difference of silentDifferences(weights.metadata, config)) {
    options.note(`warning: the weights are of a network with ${difference}`);
  }

  const { batchSize } = config.evaluate;
  const { loadEngine } = await import('../engine/load.js');
  const threads = planThreads(config, batchSize);
  await loadEngine({ variant: config.engine.variant, threads, ...options });
  const { createProgram } = await import('../engine/graph/create-program.js');
  const { precision, engine } = config;
  const how = { precision, convolutions: engine.convolutions };
  const program = createProgram(weights.values, how, { eager: false });
  const network: Network = {
    // What is given is what is evaluated, averages or not.
    config: { ...config, optimizer: { ...config.optimizer, emaDecay: 0 } },
    model,
    variables,
    shape: dataset.shape,
    pixels: { mean: dataset.mean, std: dataset.std },
    kernels: kernels('kernels'),
  };
  for (const size of evaluationBatches(dataset.validation.count, batchSize)) {
    defineEvaluation(program, network, size);
  }
  const precise = preciseImages(config, variables);
  if (precise > 0) defineStatistics(program, network, statisticsBatch(dataset.train.count));

  const images = dataset.validation.count;
  const progress = startProgress({
    label: 'evaluating',
    total: images,
    unit: 'images',
    quiet: options.quiet,
  });
  const started = performance.now();
  const pause = async (done: number) => {
    progress.update(done);
    await yieldToSignals();
    return options.stopRequested();
  };
  const body = () => evaluate(program, dataset, batchSize, pause);
  try {
    const found = await (precise > 0
      ? withPreciseStatistics(program, dataset, precise, body, pause)
      : body());
    const seconds = (performance.now() - started) / 1000;
    return found && { found, images, seconds, weights, dataset };
  } finally {
    progress.stop();
    program.dispose();
  }
}
