/** Prints, as JSON, the instruction sets that the kernels compute float32 and bfloat16 with: for levels.test.ts. */
import { loadEngine } from '../../load.js';

const { addon } = await loadEngine({ variant: 'cpu', threads: { intraOp: 1, interOp: 1 }, quiet: true });
if (!addon) throw new Error('there are no kernels');
console.log(JSON.stringify({ float32: addon.instructionSet(false), bfloat16: addon.instructionSet(true) }));
