/**
 * Loads the engine: TensorFlow.js on libtensorflow, with gnbench's own operations beside TensorFlow's.
 *
 * Everything libtensorflow reads only once (threads, log level, devices) is set here, before it is loaded; so a
 * process has one setting for life. `tf` is usable in every module once `loadEngine` has resolved.
 */

import { createRequire } from 'node:module';
import process from 'node:process';
import { UserError } from '../errors.js';
import { openCudaKernels } from './cuda-kernels.js';
import type { Precision } from './data-type.js';
import { acceptCpu, prepareGpu, refuseOnCpu, refuseUncompiled } from './gpu.js';
import { askDriver } from './install/cuda/driver.js';
import { type Engine, provisionEngine } from './install/index.js';
import { nvidiaDevices } from './install/platform.js';
import type { Threads } from './threads.js';

type TensorFlow = typeof import('@tensorflow/tfjs-node-gpu');

/** TensorFlow.js. Undefined until `loadEngine` has resolved. */
export let tf: TensorFlow;
/** The package's Node backend, whose `binding` runs operations and graphs. */
export let backend: NodeBackend;
/** The engine that was loaded: versions, variant, device, threads, and gnbench's own kernels where they are there. */
export let loaded: LoadedEngine;

export interface LoadedEngine extends Engine {
  device: 'CPU' | 'GPU';
  threads: Threads;
  /** gnbench's own kernels for the CPU, where they were built. */
  addon?: KernelAddon;
  /** The operations that have kernels of gnbench's own on the GPU. */
  gpuOperations?: readonly string[];
  /** XLA compiles the steps: it knows TensorFlow's operations alone, so gnbench's kernels are left out. */
  xla: boolean;
}

/** The exports of the addon that holds gnbench's kernels (kernels/ops.cc). */
interface KernelAddon {
  /** The instructions that the convolutions of float32 or bfloat16 are compiled for: `avx2`, `amx_bf16`, … */
  instructionSet(bfloat16: boolean): string;
  /** Begins to time its operations, or ends it: runs and seconds by the names of nodes. */
  timeOperations?(begin: boolean): Record<string, [runs: number, seconds: number]>;
}

export interface TensorMetadata {
  id: number;
  shape: number[];
  dtype: number;
}

export interface OpAttribute {
  name: string;
  type: number;
  value: unknown;
}

/** The part of the package's N-API binding that gnbench calls (binding/tfjs_backend.h). */
export interface Binding {
  createTensor(shape: number[], dtype: number, values: unknown): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(name: string, attributes: OpAttribute[], inputs: number[], outputs: number): TensorMetadata[];
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(id: number, inputs: number[], inputNames: string, outputNames: string): TensorMetadata[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
  [constant: `TF_${string}`]: number;
}

export interface NodeBackend {
  binding: Binding;
  getInputTensorIds(tensors: unknown[]): number[];
  createOutputTensor(metadata: TensorMetadata): import('@tensorflow/tfjs-node-gpu').Tensor;
}

export interface LoadOptions {
  variant?: 'auto' | 'cpu' | 'cuda';
  source?: 'wheel' | 'stock';
  threads: Threads;
  /** Ask TensorFlow for kernels that give the same bits each time, where it has them (on a GPU not all do). */
  deterministic?: boolean;
  precision?: Precision;
  /** The compiler of the steps; auto: XLA on a GPU. */
  compiler?: 'auto' | 'xla' | 'none';
  /** Compute on the CPU, without a word, where the engine is CUDA's and there is no GPU. */
  fallback?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

/**
 * Provisions the engine if it is missing and loads it into this process, once.
 * @throws UserError when it can be neither found nor provisioned.
 */
export async function loadEngine(options: LoadOptions): Promise<LoadedEngine> {
  if (loaded) return loaded;
  const engine = await provisionEngine({
    variant: options.variant,
    source: options.source,
    quiet: options.quiet,
    debug: options.debug,
  });
  if (engine.variant === 'cuda') prepareGpu(options);
  const onGpu = engine.variant === 'cuda' && nvidiaDevices().length > 0;
  if (options.deterministic && !onGpu) process.env.TF_DETERMINISTIC_OPS = '1';
  process.env.TF_NUM_INTRAOP_THREADS = String(options.threads.intraOp);
  process.env.TF_NUM_INTEROP_THREADS = String(options.threads.interOp);
  // oneDNN's convolutions, which TensorFlow leaves out on processors of other makers than Intel.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= options.debug ? '0' : '3';
  if (engine.logLevel) process.dlopen({ exports: {} }, engine.logLevel);
  tf = requirePackage(engine.binding);
  backend = tf.backend() as unknown as NodeBackend;
  const device = backend.binding.isUsingGpuDevice() ? 'GPU' : 'CPU';
  if (engine.variant === 'cuda' && device === 'CPU' && !options.fallback) {
    const notice = await acceptCpu(engine, options.variant);
    if (!options.quiet) process.stderr.write(notice);
  }
  if (device === 'CPU') refuseOnCpu(options);
  const { compiler = 'auto' } = options;
  const xla = compiler === 'auto' ? device === 'GPU' : compiler === 'xla';
  if (device === 'GPU' && !xla) refuseUncompiled(options);
  const addon = engine.nativeOps ? openAddon(engine.nativeOps) : undefined;
  const gpuOperations = device === 'GPU' && !xla && addon ? await gpuKernels(engine) : undefined;
  loaded = { ...engine, device, threads: options.threads, addon, gpuOperations, xla };
  return loaded;
}

/** Compiles gnbench's kernels for the GPU that is there, if that was not done before, and registers them. */
async function gpuKernels({ cudaOps, cudaDriver, folder }: Engine): Promise<string[] | undefined> {
  if (!cudaOps || !cudaDriver) return undefined;
  const [gpu] = (await askDriver(cudaDriver)).devices ?? [];
  return gpu && openCudaKernels(cudaOps, folder, 10 * gpu.major + gpu.minor);
}

/** Registers gnbench's operations with TensorFlow. @throws UserError if the environment asks for other instructions */
function openAddon(file: string): KernelAddon {
  const addon = { exports: {} as KernelAddon };
  try {
    process.dlopen(addon, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'GNBENCH_ISA') throw error;
    throw new UserError((error as Error).message, {
      fix: 'without GNBENCH_ISA in the environment the best instruction set of the processor is used',
    });
  }
  return addon.exports;
}

/** Requires TensorFlow.js from its bundle (bin/bundle-tfjs.js), with its native binding taken from the cache. */
function requirePackage(binding: string): TensorFlow {
  const require = createRequire(import.meta.url);
  // TensorFlow.js 4.22.0 calls it; Node 22 warns at each call (DEP0051), and Node 23 has no such function.
  const util = require('node:util') as { isNullOrUndefined: (value: unknown) => boolean };
  util.isNullOrUndefined = (value) => value == null;
  const open = require('../tfjs-node/open.cjs') as (binding: string) => TensorFlow;
  const warn = console.warn;
  console.warn = () => {}; // its advice on other backends
  try {
    return open(binding);
  } finally {
    console.warn = warn;
  }
}
