import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { presentDevices, showsDevices } from '../../engine/install/platform.js';
import { convolutionsOf } from '../mixture.js';

/** One run's part of the machine. */
export interface ResourceSlice {
  env: Record<string, string>;
  /** `--set` overrides: the threads, and the kind of convolutions, that the run keeps for its life. */
  overrides: string[];
}

export interface Machine {
  cores: number;
  /** NVIDIA devices by the number or name that `CUDA_VISIBLE_DEVICES` takes. */
  devices: string[];
}

/** A job of a cluster has the cores that it was given, not all that the machine has. */
export function thisMachine(present: () => string[] = presentDevices): Machine {
  const granted = Number(process.env.SLURM_CPUS_PER_TASK);
  return { cores: granted > 0 ? granted : availableParallelism(), devices: visibleDevices(present) };
}

function visibleDevices(present: () => string[]): string[] {
  const chosen = process.env.CUDA_VISIBLE_DEVICES;
  if (chosen !== undefined) {
    // CUDA reads the list up to the first entry that names no device: those behind it are hidden, too.
    const entries = chosen.split(',').map((entry) => entry.trim());
    const end = entries.findIndex((entry) => !showsDevices(entry));
    return end < 0 ? entries : entries.slice(0, end);
  }
  // CUDA counts those that a container was given from 0, whatever their nodes are called.
  return present().map((_, index) => String(index));
}

/**
 * One run a device, or one a core: processes of one thread move the most images a second. Fewer runs than that share
 * all of the machine.
 * @param left runs that are to be done
 */
export function defaultJobs({ devices, cores }: Machine, left = Number.POSITIVE_INFINITY): number {
  return Math.max(1, Math.min(left, devices.length > 0 ? devices.length : cores));
}

/**
 * The cores and the GPU of the run in a slot (from 0). Threads are kept for a run's life, since another number of them
 * gives other digits: those that a run was started with come from the config in its folder. Before that, what its
 * cell's config asks for goes before what is planned here.
 */
export function resourceSlice(
  machine: Machine,
  jobs: number,
  slot: number,
  run: { folder: string; config: string },
): ResourceSlice {
  const threads = Math.max(1, Math.floor(machine.cores / jobs));
  const env: Record<string, string> = { GNBENCH_THREADS: String(threads) };
  const together = Math.ceil(jobs / Math.max(1, machine.devices.length));
  if (together > 1) env.GNBENCH_MEMORY_SHARE = (1 / together).toFixed(6);
  if (machine.devices.length > 0) {
    env.CUDA_VISIBLE_DEVICES = machine.devices[slot % machine.devices.length];
    if (jobs > machine.devices.length) env.TF_FORCE_GPU_ALLOW_GROWTH = 'true';
  }
  const planned = threads === 1 ? { intraOpThreads: 1, interOpThreads: 1 } : {};
  const convolutions = convolutionsOf(run.folder);
  const kept = {
    ...planned,
    ...threadsIn(run.config),
    ...threadsIn(join(run.folder, 'config.yaml')),
    ...(convolutions && { convolutions }),
  };
  return { env, overrides: Object.entries(kept).map(([key, value]) => `engine.${key}=${value}`) };
}

function threadsIn(configFile: string): Record<string, unknown> {
  try {
    const { engine } = parse(readFileSync(configFile, 'utf8')) as { engine?: Record<string, unknown> };
    const asked = ['intraOpThreads', 'interOpThreads'].filter((key) => Number.isInteger(engine?.[key]));
    return Object.fromEntries(asked.map((key) => [key, engine?.[key]]));
  } catch {
    return {};
  }
}
