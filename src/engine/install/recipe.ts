/** An engine, and a way to get one. */
import type { EngineSource, Variant } from './platform.js';

export interface Engine {
  variant: Variant;
  source: EngineSource;
  /** The library's folder in the cache. */
  folder: string;
  /** To be `process.dlopen`ed before the binding: makes the library heed TF_CPP_MIN_LOG_LEVEL from its start. */
  logLevel?: string;
  /** The path of `tfjs_binding.node`. */
  binding: string;
  /** The path of `cuda_driver.node`, where the variant is CUDA. */
  cudaDriver?: string;
  /** The path of `gnbench_ops.node`; undefined if it could not be built. */
  nativeOps?: string;
  /** Why there is none. */
  nativeOpsMissing?: string;
  /** gnbench's operations on a GPU; undefined if the variant is not CUDA, or it could not be built. */
  cudaOps?: CudaOps;
  /** TensorFlow's version. */
  tensorflow: string;
}

export interface CudaOps {
  /** The path of `gnbench_cuda.node`. */
  addon: string;
  /** The path of `nvrtc.node`, which compiles the kernels. */
  compiler: string;
}

export interface ProvisionOptions {
  /** `auto`: CUDA where there is an NVIDIA device, else CPU. */
  variant?: 'auto' | Variant;
  /** `wheel` on Linux with glibc on x64, else `stock`. */
  source?: EngineSource;
  /** Fetches and builds everything anew. */
  force?: boolean;
  /** Reads every file of the engine and compares its checksum; what is damaged is fetched or built anew. */
  verify?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

export interface BuildOptions extends ProvisionOptions {
  /** Aborted when the process is told to end. */
  signal: AbortSignal;
  /** Prints a line of news on stderr, unless quiet. */
  say: (line: string) => void;
}

/** One way to come to an engine: look for it, or make it. */
export interface Recipe {
  source: EngineSource;
  /** The engine if it is there. `lenient`: also one that this machine would have built otherwise. */
  find(options?: { lenient?: boolean }): Promise<Engine | undefined>;
  /** Something of a found engine is missing that could be built here. */
  isImprovable(engine: Engine): boolean;
  build(options: BuildOptions): Promise<void>;
}
