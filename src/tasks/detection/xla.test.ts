/**
 * A detector is trained by definitions where there are no kernels of gnbench's own, as on a GPU; XLA compiles those. In a
 * process of its own: when XLA is loaded, no kernels are used.
 */
import { before, it } from 'node:test';
import { CompiledProgram } from '../../engine/graph/compiled.js';
import { loadTestEngine } from '../../engine/testing/test-engine.js';
import { formulaValues } from '../../models/testing/formula.js';
import { withOptimizerSlots } from '../../runs/optimizer-slots.js';
import { defineTraining } from '../../training/step.js';
import { assertAgrees } from '../../training/testing/one-step.js';
import { batchOf, c4, networkOf, pyramid, usual } from './testing/small-detector.js';

before(async () => {
  // On the CPU without LLVM's optimizations: twice as fast to compile, and the graph is the same.
  if (process.env.GNBENCH_TEST_VARIANT !== 'cuda')
    process.env.XLA_FLAGS = '--xla_backend_optimization_level=0';
  await loadTestEngine({ compiler: 'xla' });
});

async function stepOf(model: string, xla: boolean, move = (value: number, _index: number) => value) {
  const network = await networkOf(model, '', {});
  const weights = formulaValues(network.variables);
  for (const each of Object.values(weights)) each.data = each.data.map(move);
  const initial = withOptimizerSlots(network.variables, weights);
  const program = new CompiledProgram(initial, { kernels: {}, xla });
  const trainOn = defineTraining(program, network);
  const { loss } = trainOn(batchOf(network, usual), 0.01, { step: 3, fractionDone: 0 });
  const values = program.read();
  program.dispose();
  return { loss, values };
}

it('XLA computes what the uncompiled definitions of a detector do', async () => {
  assertAgrees(await stepOf(pyramid, true), await stepOf(pyramid, false), 1e-4);
});

/**
 * The formula's own weights lie where this step turns on rounding: moved in their last digit they change gradients by 3e-4 of
 * their norm without XLA, too, and both are equally far from float64 (6.7e-4). Moved by up to a hundredth, these do not: 1e-5.
 */
const away = (value: number, index: number) =>
  value * (1 + 0.003 * ((((index + 5) * 2_654_435_761) % 7) - 3));

it('and those of a detector on one map, whose heads begin with a stage of the backbone', async () => {
  assertAgrees(await stepOf(c4, true, away), await stepOf(c4, false, away), 1e-4);
});
