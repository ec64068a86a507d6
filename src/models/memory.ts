import type { Config } from '../config/schema.js';
import type { ModelDescription } from '../nn/shape-net.js';

/** The memory that one training step needs, in bytes; the engine itself and the data set come on top. */
export interface StepMemory {
  /** Feature maps that the backward pass needs, of all images of a step. */
  activations: number;
  /** Weights, velocities and gradients. */
  parameters: number;
  total: number;
}

/** An estimate: every feature map once, in the precision it is computed in, and three float32 numbers a parameter. */
export function stepMemory(config: Config, model: ModelDescription): StepMemory {
  const { batch, precision } = config;
  const images = (batch.size * batch.workers) / (batch.microSteps === 'auto' ? 1 : batch.microSteps);
  const activations = model.activations * images * (precision === 'bfloat16' ? 2 : 4);
  const parameters = model.parameters * 3 * 4;
  return { activations, parameters, total: activations + parameters };
}
