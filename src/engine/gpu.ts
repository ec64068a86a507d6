/** Settings for TensorFlow on a GPU, made before it is loaded, and the error when there is no GPU after all. */
import { UserError } from '../errors.js';
import type { Precision } from './data-type.js';
import { askDriver, type Mend, surroundings, whyNoGpu } from './install/cuda/driver.js';
import type { Engine } from './install/index.js';
import { nvidiaMemory } from './install/platform.js';

/** Settings that TensorFlow and CUDA's libraries read once, when they are loaded. */
export function prepareGpu({
  precision,
  deterministic,
}: {
  precision?: Precision;
  deterministic?: boolean;
}): void {
  // Else TensorFlow takes all memory of every GPU at once, and no second run fits beside the first.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  // Float32 with the mantissa cut to 10 bits is on by default in TensorFlow, for convolutions and products.
  if (precision === 'tf32') delete process.env.NVIDIA_TF32_OVERRIDE;
  else process.env.NVIDIA_TF32_OVERRIDE = '0';
  // XLA then chooses among kernels that give the same bits each time. TF_DETERMINISTIC_OPS is not for it: with it,
  // TensorFlow refuses the cross-entropy while a step is traced, which is before XLA compiles what is run.
  const deterministicXla = '--xla_gpu_exclude_nondeterministic_ops=true';
  if (deterministic)
    process.env.XLA_FLAGS = [process.env.XLA_FLAGS, deterministicXla].filter(Boolean).join(' ');
}

/** @throws UserError for what a GPU computes with other bits each time */
export function refuseUncompiled({ deterministic }: { deterministic?: boolean }): void {
  if (!deterministic) return;
  throw new UserError('on a GPU, TensorFlow has the same bits each time only where XLA compiles the step', {
    place: 'engine.compiler: none',
    fix: 'set engine.compiler to auto, or leave out --deterministic',
    exitCode: 1,
  });
}

/** The error of a step on a GPU, with its mend where that is known; others as they are. */
export function gpuError(error: unknown): unknown {
  const message = (error as Error).message ?? '';
  // The last is TensorFlow's answer where there is no room to copy something to the GPU.
  if (/OOM when allocating|RESOURCE_EXHAUSTED|out.of.memory|Dst tensor is not initialized/i.test(message)) {
    return new UserError('the GPU has not enough memory for the step', {
      place: 'batch',
      fix: 'set batch.microSteps higher, choose a smaller batch or precision: bfloat16; nvidia-smi shows what other programs hold',
      exitCode: 1,
      cause: error,
    });
  }
  if (/UNSUPPORTED_PTX_VERSION|unsupported toolchain/.test(message)) {
    return new UserError("the NVIDIA driver is older than the code of TensorFlow's kernels for this GPU", {
      place: 'engine.variant: cuda',
      fix: 'install NVIDIA driver 555.42.02 or newer; npx gnbench doctor shows the present one',
      exitCode: 1,
      cause: error,
    });
  }
  return error;
}

/** @throws UserError for what only a GPU can do */
export function refuseOnCpu({ precision }: { precision?: Precision }): void {
  if (precision !== 'tf32') return;
  throw new UserError('tf32 is arithmetic of a GPU, and the engine computes on the CPU', {
    place: 'precision: tf32',
    fix: 'choose float32 or bfloat16',
    exitCode: 1,
  });
}

/**
 * Bytes of memory of the GPU that is computed on; undefined on the CPU. CUDA's driver is asked, which counts GPUs as programs
 * see them: in its own order, without hidden ones, and an instance (MIG) as the part of its board that it is.
 */
export async function gpuMemory(engine: {
  device: 'CPU' | 'GPU';
  cudaDriver?: string;
}): Promise<number | undefined> {
  if (engine.device !== 'GPU') return undefined;
  const driver = engine.cudaDriver ? await askDriver(engine.cudaDriver).catch(() => undefined) : undefined;
  return driver?.devices?.[0]?.memory ?? nvidiaMemory();
}

/** Why TensorFlow, loaded, has no GPU. */
export async function explainCpu({ cudaDriver }: Engine): Promise<Mend> {
  const unknown = {
    message: 'TensorFlow registers no GPU',
    fix: 'npx gnbench doctor --debug shows what it says',
  };
  if (!cudaDriver) return unknown;
  try {
    return whyNoGpu(await askDriver(cudaDriver), surroundings()) ?? unknown;
  } catch (error) {
    return { message: `the driver ends in an error: ${(error as Error).message}`, fix: 'nvidia-smi' };
  }
}

/** @throws UserError where a GPU was asked for by name: a run of days on the CPU is not what was meant */
export async function acceptCpu(engine: Engine, wanted: 'auto' | 'cpu' | 'cuda' = 'auto'): Promise<string> {
  const { message, fix } = await explainCpu(engine);
  if (wanted === 'cuda') {
    throw new UserError(`no GPU can be used: ${message}`, {
      place: 'engine.variant: cuda',
      fix,
      exitCode: 1,
    });
  }
  return `the CUDA engine computes on the CPU: ${message}\n  -> ${fix}\n`;
}
