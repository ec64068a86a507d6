/**
 * The number of parts that a step is computed in. Parts change the order of sums, and so the digits: the number is a
 * function of the configuration and of the memory that the run is granted, never of what is free at the moment.
 */
import type { Config } from '../config/schema.js';
import { isDetectorName } from '../config/schema-model.js';
import { statisticsSpan } from '../config/schema-normalizer.js';
import { nvidiaDevices } from '../engine/install/platform.js';
import { UserError } from '../errors.js';
import { stepMemory } from '../models/memory.js';
import type { ModelDescription } from '../nn/shape-net.js';
import { memoryLimit } from '../process/memory.js';

/** Fraction of the run's memory that a step's estimate may use; the rest is for gradients of feature maps, work space and data. */
const stepFraction = 0.4;

/**
 * GiB that the run may use: `engine.memoryGB`, or its share of what the device, machine, container or job has.
 *
 * @param device bytes of the GPU that it computes on, if it does
 */
export function memoryOf({ engine }: Config, device?: number): number {
  if (engine.memoryGB !== undefined) return engine.memoryGB;
  // A sweep grants each of the runs that it has side by side an equal share.
  const share = Number(process.env.GNBENCH_MEMORY_SHARE);
  const bytes = (device ?? memoryLimit()) * (share > 0 && share <= 1 ? share : 1);
  // To three decimals, as it is recorded, so that the record leads to the same parts.
  return Math.max(1, Math.floor((bytes / 2 ** 30) * 1000)) / 1000;
}

/**
 * How many parts a step is computed in: `batch.microSteps`, or the fewest whose estimate fits in the step's fraction of
 * `memoryGB`. Parts hold whole workers, whose images share statistics; per-image normalizers allow any split. A detector's
 * part is one worker, as its losses are means over a worker's regions, which another split would weigh otherwise.
 */
export function partsOf(config: Config, model: ModelDescription, memoryGB = memoryOf(config)): number {
  const { size, workers, microSteps } = config.batch;
  if (microSteps !== 'auto') return microSteps;
  const whole = mostParts(config);
  if (isDetectorName(config.model.name)) return whole;
  for (let parts = 1; parts <= whole; parts++) {
    if (whole % parts !== 0) continue;
    const { total } = stepMemory({ ...config, batch: { size, workers, microSteps: parts } }, model);
    if (total <= stepFraction * memoryGB * 2 ** 30 || parts === whole) return parts;
  }
  return whole;
}

/**
 * Refuses a step whose estimate, in as many parts as it may have, is more than all the memory that the process may use.
 * On a GPU it is the device's that counts, which only the step itself can tell.
 *
 * @throws UserError
 */
export function checkMemory(
  config: Config,
  model: ModelDescription,
  { memory = memoryLimit(), devices = nvidiaDevices() }: { memory?: number; devices?: string[] } = {},
): void {
  if (usesGpu(config.engine, devices)) return;
  const { size, workers, microSteps } = config.batch;
  const parts = microSteps === 'auto' ? mostParts(config) : microSteps;
  const { total } = stepMemory({ ...config, batch: { size, workers, microSteps: parts } }, model);
  if (total <= memory) return;
  const images = (size * workers) / parts;
  const shown = images === 1 ? 'a single image' : `${images.toLocaleString('en')} images at once`;
  throw new UserError(
    `a step with ${shown} needs about ${gibibytes(total)} GiB, and this process may use ${gibibytes(memory)}`,
    {
      place: microSteps === 'auto' ? 'batch.size' : 'batch.microSteps',
      fix:
        parts < mostParts(config)
          ? `set batch.microSteps to auto, or to ${mostParts(config)}`
          : 'choose a smaller batch, smaller images, a smaller model or precision: bfloat16',
    },
  );
}

const usesGpu = (engine: Config['engine'], devices = nvidiaDevices()) =>
  engine.variant !== 'cpu' && devices.length > 0;

/** Parts that hold as few images as may be. */
const mostParts = ({ model, batch: { size, workers }, normalizer }: Config): number =>
  isDetectorName(model.name)
    ? workers
    : { image: size * workers, worker: workers, step: 1 }[statisticsSpan(normalizer)];

const gibibytes = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
