/** One measured setting. */
export interface BenchRow {
  model: string;
  /** Height and width of an image. */
  resolution: number;
  classes: number;
  /** Trained numbers. */
  parameters: number;
  normalizer: string;
  /** Images a worker; a step has batch · workers of them. */
  batch: number;
  workers: number;
  precision: string;
  convolutions: string;
  threads: { intraOp: number; interOp: number };
  imagesPerSecond: number;
  stepMs: { median: number; q1: number; q3: number };
  /** Measured ones, after the warm-up. */
  steps: number;
  /** Loading the engine; tracing, loading the graph and its first run. */
  loadSeconds: number;
  compileSeconds: number;
  peakMemoryMB: number;
  /** images/s ÷ those of the same model without normalizers; missing where that was not measured. */
  shareOfFloor?: number;
}
