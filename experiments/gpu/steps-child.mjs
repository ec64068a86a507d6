/**
 * Trains a network for some steps from the formula's weights, in a process of its own, and prints its losses and what its
 * variables have become: a child of parity.mjs.
 *
 *     node steps-child.mjs '{"config": "…", "variant": "cuda", "compiler": "xla", "side": 32, "steps": 20}'
 */
import { createHash } from 'node:crypto';
import { parseConfig } from '../../dist/config/load.js';
import { createProgram } from '../../dist/engine/graph/create-program.js';
import { kernels } from '../../dist/engine/kernel-table.js';
import { loadEngine } from '../../dist/engine/load.js';
import { createModel } from '../../dist/models/index.js';
import { initialize } from '../../dist/nn/initialize.js';
import { describeModel } from '../../dist/nn/shape-net.js';
import { withOptimizerSlots } from '../../dist/runs/optimizer-slots.js';
import { classification } from '../../dist/tasks/classification.js';
import { defineTraining } from '../../dist/training/step.js';

const { config: text, variant, compiler, side, steps, deterministic } = JSON.parse(process.argv[2]);
const config = parseConfig(text, { file: 'parity.yaml' });
const { precision } = config;
const threads = { intraOp: 2, interOp: 1 };
const fallback = variant === 'cuda' && process.env.CUDA_VISIBLE_DEVICES === '-1';
const { device } = await loadEngine({
  variant,
  precision,
  compiler,
  deterministic,
  threads,
  fallback,
  quiet: true,
});
const model = createModel(config.model, 10);
const shape = [side, side, 3];
const { variables } = describeModel(model, config.normalizer, { shape });
const pixels = { mean: [125, 123, 114], std: [63, 62, 67] };
const network = {
  config,
  model,
  task: classification(),
  variables,
  shape,
  pixels,
  kernels: kernels('kernels'),
};
const initial = withOptimizerSlots(variables, initialize(variables, config.seed));
const program = createProgram(initial, { precision, convolutions: 'direct' }, { eager: false });
const trainOn = defineTraining(program, network);
const count = config.batch.size * config.batch.workers;
const losses = [];
const start = read();
let first;
for (let step = 0; step < steps; step++) {
  const images = Uint8Array.from(
    { length: count * side * side * 3 },
    (_, i) => (i * 31 + (i >> 7) * 17 + step * 101) % 256,
  );
  const labels = Int32Array.from({ length: count }, (_, i) => (i * 3 + step) % 10);
  losses.push(trainOn({ images, labels }, 0.01, { step, fractionDone: step / steps }).loss);
  first ??= read();
}
process.stdout.write(JSON.stringify({ device, losses, start, first, last: read() }));

/** The network's variables one behind the other, and a checksum of everything. */
function read() {
  const values = program.read();
  const hash = createHash('sha256');
  for (const { data } of Object.values(values))
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const all = variables.flatMap(({ name }) => [...values[name].data]);
  return {
    sha256: hash.digest('hex'),
    values: Buffer.from(Float32Array.from(all).buffer).toString('base64'),
  };
}
