/** One training step of a network, from fixed weights, to be compared with the same step computed otherwise. */
import assert from 'node:assert/strict';
import { parseConfig } from '../../config/load.js';
import { CompiledProgram } from '../../engine/graph/compiled.js';
import type { Kernels } from '../../engine/kernel-table.js';
import { describeModel } from '../../models/describe.js';
import { createModel } from '../../models/index.js';
import { formulaValues } from '../../models/testing/formula.js';
import type { Model } from '../../nn/net.js';
import { withOptimizerSlots } from '../../runs/optimizer-slots.js';
import { classification } from '../../tasks/classification.js';
import { defineEvaluation } from '../evaluation.js';
import type { Network } from '../network.js';
import { defineTraining } from '../step.js';

/** Two blocks: each kind of convolution, normalization behind a ReLU, beside a shortcut and at the end. */
export const smallNet: Model = (net, images) => {
  let x = net.norm('a.norm', net.conv('a.conv', images, { filters: 16, kernel: 3 }), { relu: true });
  const shortcut = net.subsample(x, 2, 32);
  x = net.norm('b.norm', net.conv('b.conv', x, { filters: 32, kernel: 3, stride: 2 }), { relu: true });
  x = net.norm('c.norm', net.conv('c.conv', x, { filters: 32, kernel: 1 }), {
    relu: true,
    residual: shortcut,
  });
  return { logits: net.dense('head', net.globalAveragePool(x), 10) };
};

/**
 * A step from the formula's weights: its loss, and all variables after it. `evaluates`: and what the network then says of
 * the same images.
 */
export function stepOf(network: Network, { xla = false, evaluates = false } = {}) {
  const { config, variables, shape, kernels } = network;
  const program = new CompiledProgram(withOptimizerSlots(variables, formulaValues(variables)), {
    precision: config.precision,
    kernels,
    xla,
  });
  const trainOn = defineTraining(program, network);
  const count = config.batch.size * config.batch.workers;
  const evaluate = evaluates ? defineEvaluation(program, network, [count]) : undefined;
  const size = shape.reduce((product, length) => product * length);
  const images = Uint8Array.from({ length: count * size }, (_, i) => (i * 31 + (i >> 7) * 17) % 256);
  const labels = Int32Array.from({ length: count }, (_, i) => (i * 3) % 10);
  const { loss } = trainOn({ images, labels }, 0.05, { step: 0, fractionDone: 1 });
  const values = program.read();
  const predicted = evaluate?.({ images, labels }, count) ?? {};
  program.dispose();
  return { loss, values: { ...values, ...named(predicted) } };
}

const named = (predicted: Record<string, Float32Array>) =>
  Object.fromEntries(Object.entries(predicted).map(([name, data]) => [`predicted ${name}`, { data }]));

export const norm = (data: ArrayLike<number>) =>
  Math.sqrt(Array.from(data).reduce((sum, value) => sum + value ** 2, 0));

/** A network on squares of `side` pixels, or clips of them. */
export function networkOf(
  text: string,
  side: number,
  { model, frames, kernels = {} }: { model?: Model; frames?: number; kernels?: Kernels } = {},
): Network {
  const data = frames ? `{name: synthetic-video, frames: ${frames}}` : '{name: cifar10}';
  const config = parseConfig(`data: ${data}\n${text}`, { file: 'test.yaml' });
  const net = model ?? createModel(config.model, 10);
  const shape = [...(frames ? [frames] : []), side, side, 3];
  const { variables } = describeModel(net, config.normalizer, { shape });
  const pixels = { mean: [125, 123, 114], std: [63, 62, 67] };
  return { config, model: net, task: classification(), variables, shape, kernels, pixels };
}

interface Result {
  loss: number;
  values: Record<string, { data: Float32Array }>;
}
export const distance = (a: Result, b: Result, name: string) =>
  norm(a.values[name].data.map((value, index) => value - b.values[name].data[index]));

export function assertAgrees(compiled: Result, plain: Result, tolerance: number): void {
  assert.ok(
    Math.abs(compiled.loss - plain.loss) <= tolerance * plain.loss,
    `${compiled.loss}, ${plain.loss}`,
  );
  for (const [name, { data }] of Object.entries(plain.values)) {
    const difference = distance(compiled, plain, name);
    assert.ok(difference <= tolerance * (norm(data) + 1e-3), `${name}: ${difference} of ${norm(data)}`);
  }
}
