/** The messages that worker threads are started with. */
import type { Dataset, Decoding, Split } from '../datasets/dataset.js';
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

/** Training batches of images in memory. */
export interface BatchJob extends TrainBatchesOptions, Pick<Dataset, 'shape' | 'mean'> {
  ring: Ring;
  images: Uint8Array;
  labels: Int32Array;
}

/** Batches of images in files: for training, or each image of the split once. */
export type DecodeJob = {
  ring: Ring;
  shape: [number, number, number];
  labels: Int32Array;
  files: NonNullable<Split['files']>;
  decoding: Decoding;
  batchSize: number;
} & (({ train: true } & TrainBatchesOptions) | { train: false });
