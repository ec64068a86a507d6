import type { Resolved } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { planRun } from '../models/plan.js';
import type { Head } from '../nn/net.js';

/** The work of one run of a cell, found without its data and without the engine. */
export interface CellWork extends Pick<Resolved, 'rate' | 'imagesPerStep' | 'totalSteps'> {
  /** Training images, all epochs. */
  trained: number;
  /** Validation images, all epochs. */
  evaluated: number;
  /** Multiply-adds for one image, forward. */
  flops: number;
}

/**
 * @param dataFolder `--data`, for images in folders
 * @throws {UserError} as `planRun` does; its place may be a key's path
 */
export function planCell(config: Config, dataFolder?: string, head?: Head): CellWork {
  const { sizes, resolved, model } = planRun(config, dataFolder, head);
  const { rate, imagesPerStep, totalSteps, rowSteps } = resolved;
  const evaluations = Math.ceil(totalSteps / rowSteps / config.evaluate.every);
  return {
    rate,
    imagesPerStep,
    totalSteps,
    trained: totalSteps * imagesPerStep,
    evaluated: evaluations * sizes.validation,
    flops: model.flops,
  };
}
