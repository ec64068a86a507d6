/**
 * Trains a network for some steps in a process of its own, and prints its losses and what its variables have become: a
 * child of experiments/gpu/parity.mjs, which compares devices.
 *
 *     node dist/bench/steps-child.js '{"config": "…", "variant": "cuda", "compiler": "xla", "side": 32, "steps": 20}'
 */
import { createHash } from 'node:crypto';
import { parseConfig } from '../config/load.js';
import { CompiledProgram } from '../engine/graph/compiled.js';
import { kernels } from '../engine/kernel-table.js';
import { type LoadOptions, loadEngine, loaded } from '../engine/load.js';
import type { Program } from '../engine/program.js';
import { describeModel } from '../models/describe.js';
import { createModel } from '../models/index.js';
import { initialize } from '../nn/initialize.js';
import type { Variable } from '../nn/variable.js';
import { withOptimizerSlots } from '../runs/optimizer-slots.js';
import { classification } from '../tasks/classification.js';
import { defineTraining } from '../training/step.js';

type StepsSetting = Pick<LoadOptions, 'variant' | 'compiler' | 'deterministic'> & {
  /** A configuration as YAML. */
  config: string;
  /** The side of the square images. */
  side: number;
  steps: number;
  /** The layers' definitions in TensorFlow's operations, or gnbench's kernels, which are the default. */
  use?: 'definitions' | 'kernels';
};

/** The variables after the steps, as far as a comparison needs them. */
interface EndState {
  /** A digest of all variables, the optimizer's included. */
  sha256: string;
  /** The network's variables one behind the other: float32, base64. */
  values: string;
}

const classes = 10;
/** The reference of a comparison is computed on the CPU, by the same engine. */
const hidden = process.env.CUDA_VISIBLE_DEVICES === '-1';

async function train({ config: text, side, steps, use = 'kernels', ...engine }: StepsSetting) {
  const config = parseConfig(text, { file: 'steps.yaml' });
  const { precision } = config;
  const threads = { intraOp: 2, interOp: 1 };
  const { device } = await loadEngine({ ...engine, precision, threads, fallback: hidden, quiet: true });
  const model = createModel(config.model, classes);
  const shape = [side, side, 3];
  const { variables } = describeModel(model, config.normalizer, { shape });
  const pixels = { mean: [125, 123, 114], std: [63, 62, 67] };
  const task = classification();
  const network = { config, model, task, variables, shape, pixels, kernels: kernels(use) };
  const initial = withOptimizerSlots(variables, initialize(variables, config.seed));
  const { xla } = loaded;
  const options = { precision, convolutions: 'direct', kernels: network.kernels, xla } as const;
  const program = new CompiledProgram(initial, options);
  const trainOn = defineTraining(program, network);
  const count = config.batch.size * config.batch.workers;
  const start = stateOf(program, variables);
  const losses: number[] = [];
  let first: EndState | undefined;
  for (let step = 0; step < steps; step++) {
    const images = Uint8Array.from(
      { length: count * side * side * 3 },
      (_, i) => (i * 31 + (i >> 7) * 17 + step * 101) % 256,
    );
    const labels = Int32Array.from({ length: count }, (_, i) => (i * 3 + step) % classes);
    losses.push(trainOn({ images, labels }, 0.01, { step, fractionDone: step / steps }).loss);
    first ??= stateOf(program, variables);
  }
  return {
    ...{ device, kernels: Object.keys(network.kernels), losses, start, first },
    last: stateOf(program, variables),
  };
}

function stateOf(program: Program, variables: Variable[]): EndState {
  const values = program.read();
  const hash = createHash('sha256');
  for (const { data } of Object.values(values)) hash.update(data);
  const all = Buffer.concat(variables.map(({ name }) => Buffer.from(values[name].data.slice().buffer)));
  return { sha256: hash.digest('hex'), values: all.toString('base64') };
}

process.stdout.write(JSON.stringify(await train(JSON.parse(process.argv[2]) as StepsSetting)));
