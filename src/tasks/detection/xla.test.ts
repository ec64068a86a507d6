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
import { batchOf, networkOf, pyramid, usual } from './testing/small-detector.js';

before(async () => {
  // On the CPU without LLVM's optimizations: twice as fast to compile, and the graph is the same.
  if (process.env.GNBENCH_TEST_VARIANT !== 'cuda')
    process.env.XLA_FLAGS = '--xla_backend_optimization_level=0';
  await loadTestEngine({ compiler: 'xla' });
});

async function stepOf(model: string, xla: boolean) {
  const network = await networkOf(model, '', {});
  const initial = withOptimizerSlots(network.variables, formulaValues(network.variables));
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
