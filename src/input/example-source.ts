/** The sources of a batch's examples: images in memory or in files, a task's own module, later clips and scenes. */
import type { Instances } from '../coco/instances.js';
import type { Batch, BatchSpec } from './batch.js';

/** The circumstances under which an example is wanted. */
export interface Occasion {
  /** Augmented, by a pure function of seed, epoch (from 1) and example; as it is without it. */
  augment?: { seed: number; epoch: number };
  /** In evaluation, one of the example's views, from 0. */
  view: number;
}

export interface ExampleSource {
  /** Examples in the split. */
  count: number;
  /** Rows that each example takes in evaluation, such as a video's clips and crops; 1 when left out. */
  views?: number;
  spec: BatchSpec;
  /**
   * The number of each example's shape, where images have several with as many pixels, upright and lying. A batch
   * holds images of one shape; the array `canvas` says which, and `spec` names the first.
   */
  canvases?: Uint8Array;
  /** Examples that are written at once, where writing one waits for something. */
  sideBySide?: number;
  /** Writes the arrays of an example into place `at`. */
  write(into: Batch, at: number, example: number, occasion: Occasion): void | Promise<void>;
}

/** A source as a worker thread is told of it: the module that opens it, and what with. */
export interface SourceDescription extends Pick<ExampleSource, 'count' | 'views' | 'spec' | 'canvases'> {
  /** The address of a module that exports `openSource(options)`. */
  module: string;
  /** Anything that can be passed to a thread. */
  options: unknown;
  /** The whole split, where it lies in memory as evaluation wants it: no thread has to prepare anything then. */
  resident?: Batch;
  /** The annotations of the split, for a metric that compares with more than a batch holds. */
  truth?: Instances;
}

export async function openSource({ module, options }: SourceDescription): Promise<ExampleSource> {
  return (await import(module)).openSource(options);
}
