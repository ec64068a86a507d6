/** The messages that worker threads are started with. */
import type { SourceDescription } from './example-source.js';
import type { Ring } from './ring.js';

/** A batch is a pure function of these. */
export interface TrainBatchesOptions {
  seed: number;
  /** Images a step: all workers' together. */
  batchSize: number;
  /** Steps count from 0 over all epochs; a resumed run begins at its checkpoint's. */
  firstStep: number;
  stepsPerEpoch: number;
  totalSteps: number;
  augment: boolean;
}

/** Batches for training, or each view of each example of the split once. */
export type BatchJob = { ring: Ring; source: SourceDescription } & (
  | ({ train: true } & TrainBatchesOptions)
  | { train: false; batchSize: number }
);
