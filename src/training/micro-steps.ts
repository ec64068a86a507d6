import { freemem, totalmem } from 'node:os';
import type { Config } from '../config/schema.js';
import { statisticsSpan } from '../config/schema-normalizer.js';
import { nvidiaDevices } from '../engine/install/platform.js';
import { UserError } from '../errors.js';
import { stepMemory } from '../models/memory.js';
import type { ModelDescription } from '../nn/shape-net.js';

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
  const whole = mostParts(config);
  for (let parts = 1; parts <= whole; parts++) {
    if (whole % parts !== 0) continue;
    const { total } = stepMemory({ ...config, batch: { size, workers, microSteps: parts } }, model);
    if (total <= share * freeBytes || parts === whole) return parts;
  }
  return whole;
}

/**
 * Refuses a step whose estimate, in as many parts as it may have, is more than all the memory of the machine. On a GPU
 * it is the device's that counts, which only the step itself can tell.
 *
 * @throws UserError
 */
export function checkMemory(
  config: Config,
  model: ModelDescription,
  { memory = totalmem(), devices = nvidiaDevices() }: { memory?: number; devices?: string[] } = {},
): void {
  if (config.engine.variant !== 'cpu' && devices.length > 0) return;
  const { size, workers, microSteps } = config.batch;
  const parts = microSteps === 'auto' ? mostParts(config) : microSteps;
  const { total } = stepMemory({ ...config, batch: { size, workers, microSteps: parts } }, model);
  if (total <= memory) return;
  const images = (size * workers) / parts;
  const shown = images === 1 ? 'a single image' : `${images.toLocaleString('en')} images at once`;
  throw new UserError(
    `a step with ${shown} needs about ${gibibytes(total)} GiB, and this machine has ${gibibytes(memory)}`,
    {
      place: microSteps === 'auto' ? 'batch.size' : 'batch.microSteps',
      fix:
        parts < mostParts(config)
          ? `set batch.microSteps to auto, or to ${mostParts(config)}`
          : 'choose a smaller batch, smaller images, a smaller model or precision: bfloat16',
    },
  );
}

/** Parts that hold as few images as may be. */
const mostParts = ({ batch: { size, workers }, normalizer }: Config): number =>
  ({ image: size * workers, worker: workers, step: 1 })[statisticsSpan(normalizer.name)];

const gibibytes = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
