import { freemem } from 'node:os';
import type { Config } from '../config/schema.js';
import { statisticsSpan } from '../config/schema-normalizer.js';
import type { ModelDescription } from '../models/describe.js';
import { stepMemory } from '../models/memory.js';

/** Of the free memory, what a step's estimate may take: gradients of feature maps and work space come on top of it. */
const share = 0.4;

/**
 * How many parts a step is computed in: `batch.microSteps`, or the fewest with which the estimate fits in memory.
 * Parts hold whole workers, whose images share statistics; of a normalizer that looks at one image at a time any
 * images.
 */
export function partsOf(config: Config, model: ModelDescription, freeBytes = freemem()): number {
  const { size, workers, microSteps } = config.batch;
  if (microSteps !== 'auto') return microSteps;
  const whole = { image: size * workers, worker: workers, step: 1 }[statisticsSpan(config.normalizer.name)];
  for (let parts = 1; parts <= whole; parts++) {
    if (whole % parts !== 0) continue;
    const { total } = stepMemory({ ...config, batch: { size, workers, microSteps: parts } }, model);
    if (total <= share * freeBytes || parts === whole) return parts;
  }
  return whole;
}
