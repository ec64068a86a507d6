/**
 * Repeats one training step of a tiny network from the same state, for every normalizer, whole and in parts, with and
 * without fused kernels, on as many threads as the arguments say. Prints how many different results each case gave, as
 * JSON: `repeat-child.js INTRA_OP INTER_OP REPEATS`.
 */
import { createHash } from 'node:crypto';
import { parseConfig } from '../../config/load.js';
import { CompiledProgram } from '../../engine/graph/compiled.js';
import { kernels } from '../../engine/kernel-table.js';
import { loadEngine } from '../../engine/load.js';
import { describeModel } from '../../models/describe.js';
import { formulaValues } from '../../models/testing/formula.js';
import type { Model } from '../../nn/net.js';
import { withOptimizerSlots } from '../../runs/optimizer-slots.js';
import { classification } from '../../tasks/classification.js';
import type { Network } from '../network.js';
import { defineTraining } from '../step.js';

const [intraOp, interOp, repeats] = process.argv.slice(2).map(Number);
await loadEngine({ variant: 'cpu', threads: { intraOp, interOp }, quiet: true });

const side = 4;
const images = 4;
const normalizers = {
  batch: [1, 2],
  'sync-batch': [1],
  'batch-renorm': [1, 2],
  'frozen-batch': [1, 2],
  group: [1, 2, 4],
  'group, weightStandardization: true': [1, 2],
  layer: [1, 2],
  instance: [1, 2],
  'filter-response': [1, 2],
  'weight-norm': [1, 2],
  none: [1, 2],
};

/** A residual block between two convolutions: the least that has everything a ResNet has. */
const tiny: Model = (net, input) => {
  const stem = net.norm('stem.norm', net.conv('stem', input, { filters: 16, kernel: 3 }), { relu: true });
  const inner = net.norm('inner.norm', net.conv('inner', stem, { filters: 16, kernel: 3 }), {
    relu: true,
    residual: stem,
  });
  const last = net.norm('last.norm', net.conv('last', inner, { filters: 32, kernel: 3, stride: 2 }));
  return { logits: net.dense('head', net.globalAveragePool(net.relu(last)), 10) };
};

function networkOf(normalizer: string, fused: boolean): Network {
  const groups = normalizer.startsWith('group') ? ', groups: 8' : '';
  const text = `model: resnet20\nnormalizer: {name: ${normalizer}${groups}}\ndata: cifar10\nbatch: {size: 2, workers: 2}\noptimizer: {rates: {head: 2}}\n`;
  const config = parseConfig(text, { file: 'test.yaml' });
  const shape = [side, side, 3];
  const { variables } = describeModel(tiny, config.normalizer, { shape });
  const pixels = { mean: [125, 123, 114], std: [63, 62, 67] };
  return {
    config,
    model: tiny,
    task: classification(),
    variables,
    shape,
    pixels,
    kernels: kernels(fused ? 'kernels' : 'definitions'),
  };
}

const batch = {
  images: Uint8Array.from({ length: images * side * side * 3 }, (_, i) => (i * 31 + (i >> 7) * 17) % 256),
  labels: Int32Array.from({ length: images }, (_, i) => (i * 3) % 10),
};

/** The number of different results among the repetitions: 1 where the step is a function of its inputs. */
function resultsOf(normalizer: string, parts: number, fused: boolean): number {
  const network = networkOf(normalizer, fused);
  const { variables, config } = network;
  const values = formulaValues(variables);
  // Running deviations are divided by, and the formula gives values around 0 to them.
  for (const [name, { data }] of Object.entries(values)) if (name.endsWith('.sigma')) data.fill(1);
  const initial = withOptimizerSlots(variables, values, { parts, optimizer: config.optimizer });
  const program = new CompiledProgram(initial, { kernels: network.kernels });
  const train = defineTraining(program, network, parts);
  const digests = new Set<string>();
  for (let repeat = 0; repeat < repeats; repeat++) {
    if (repeat > 0) program.write(initial);
    // The end of a training, where the bounds of Batch Renormalization have risen.
    const result = train(batch, 0.05, { step: 0, fractionDone: 1 });
    const hash = createHash('md5').update(JSON.stringify(result));
    for (const { data } of Object.values(program.read())) hash.update(data);
    digests.add(hash.digest('hex'));
  }
  program.dispose();
  return digests.size;
}

const results: Record<string, number> = {};
for (const [normalizer, allParts] of Object.entries(normalizers))
  for (const parts of allParts)
    for (const fused of [false, true])
      results[`${normalizer}, ${parts} parts, ${fused ? 'fused' : 'composed'}`] = resultsOf(
        normalizer,
        parts,
        fused,
      );
console.log(JSON.stringify(results));
