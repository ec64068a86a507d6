/** The responses of a network's convolutions, before the normalizer and the ReLU: the paper's Figure 6. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import type { Program } from '../engine/program.js';
import type { Values } from '../input/batch.js';
import { openEvaluationBatches } from '../input/evaluation-batches.js';
import type { SourceDescription } from '../input/example-source.js';
import type { TensorNet } from '../nn/tensor-net.js';
import { type Distribution, percentiles } from '../runs/responses.js';
import type { Tensors } from '../tasks/task.js';
import { forward, imageFeed, type Network, tensorNet } from './network.js';
import { statisticsBatch } from './precise-statistics.js';

/** Gives the responses' distribution by layer, as the network stands. */
export type MeasureResponses = () => Promise<Record<string, Distribution>>;

/**
 * Adds a step that evaluates the first images of a source, 250 or all, and gives what the named convolutions answer to
 * them. Running statistics are used, as in every evaluation.
 */
export function defineResponses(
  program: Program,
  network: Network,
  source: SourceDescription,
  layers: readonly string[],
): MeasureResponses {
  const batchSize = statisticsBatch(source.count);
  const step = program.define('responses', imageFeed(network, batchSize), (step) => {
    const found: Tensors = {};
    forward(network, listening(tensorNet(network, step, { training: false }), layers, found), step);
    return found;
  });
  return async () => {
    const responses = step({ images: await firstImages(source, batchSize) });
    return Object.fromEntries(layers.map((layer) => [layer, distributionOf(responses[layer])]));
  };
}

/** The net, which keeps what some of its convolutions give. */
function listening(net: TensorNet, layers: readonly string[], found: Tensors): TensorNet {
  const conv: TensorNet['conv'] = (name, x, options): Tensor => {
    const y = net.conv(name, x, options);
    if (layers.includes(name)) found[name] = y;
    return y;
  };
  return Object.create(net, { conv: { value: conv } });
}

async function firstImages(source: SourceDescription, batchSize: number): Promise<Values> {
  const batches = openEvaluationBatches({ ...source, views: 1 }, { batchSize });
  try {
    return batches.next()!.batch.images.slice();
  } finally {
    await batches.close();
  }
}

/** The values at the `percentiles`, straight lines between the sorted responses, as numpy.percentile has them. */
export function distributionOf(responses: ArrayLike<number>): Distribution {
  const sorted = Float32Array.from(responses).sort();
  return percentiles.map((percentile) => {
    const place = (percentile / 100) * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  });
}
