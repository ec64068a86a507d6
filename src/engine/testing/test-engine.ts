import { type LoadOptions, loadEngine } from '../load.js';

/** Loads the engine for a test of numbers: on the CPU, or on a GPU with GNBENCH_TEST_VARIANT=cuda. */
export const loadTestEngine = (options: Partial<LoadOptions> = {}) =>
  loadEngine({
    variant: process.env.GNBENCH_TEST_VARIANT === 'cuda' ? 'cuda' : 'cpu',
    threads: { intraOp: 1, interOp: 1 },
    quiet: true,
    ...options,
  });
