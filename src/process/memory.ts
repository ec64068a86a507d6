/**
 * The memory that this process may use: that of the machine, of the control groups that it is in (containers, systemd,
 * Slurm) and of a Slurm allocation that no control group enforces, whichever is the least.
 */
import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

export interface MemorySources {
  /** The folder that `/proc` and `/sys` are in. */
  root?: string;
  environment?: NodeJS.ProcessEnv;
  /** Bytes of the whole machine, and how many of them are free. */
  physical?: number;
  free?: number;
}

/** Bytes that the process may use. What other processes use at the moment has no part in it. */
export function memoryLimit(sources: MemorySources = {}): number {
  const { root = '/', environment = process.env, physical = totalmem() } = sources;
  const limits = controlGroups(root).map(({ limit }) => limit);
  return Math.min(physical, ...limits, slurmLimit(environment));
}

/** Bytes that are free at the moment, on the machine and below every limit. */
export function availableMemory(sources: MemorySources = {}): number {
  const { root = '/', free = freemem() } = sources;
  return Math.max(0, Math.min(free, ...controlGroups(root).map(({ limit, used }) => limit - used)));
}

interface Usage {
  limit: number;
  used: number;
}

/** Names of the files of both versions of control groups; cached files that can be dropped do not count as used. */
const versions = {
  v1: {
    limits: ['memory.limit_in_bytes'],
    usage: 'memory.usage_in_bytes',
    droppable: /^total_inactive_file (\d+)$/m,
  },
  v2: { limits: ['memory.max', 'memory.high'], usage: 'memory.current', droppable: /^inactive_file (\d+)$/m },
};

/** Those among the process's control groups, and the groups around them, that limit memory. */
function controlGroups(root: string): Usage[] {
  const lines = read(join(root, 'proc/self/cgroup'))?.trim().split('\n') ?? [];
  return lines.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === '') {
      return ['', 'unified'].flatMap((mount) =>
        upwards(join(root, 'sys/fs/cgroup', mount), path, versions.v2),
      );
    }
    const ofMemory = controllers?.split(',').includes('memory');
    return ofMemory ? upwards(join(root, 'sys/fs/cgroup/memory'), path, versions.v1) : [];
  });
}

/** A container often sees its own group as the top, and the path of the host: the top is always looked at. */
function upwards(mount: string, path: string, version: (typeof versions)['v1' | 'v2']): Usage[] {
  const usage = usageOf(join(mount, path), version);
  const above = path === '/' || path === '.' ? [] : upwards(mount, dirname(path), version);
  return usage ? [usage, ...above] : above;
}

function usageOf(folder: string, version: (typeof versions)['v1' | 'v2']): Usage | undefined {
  // Version 2 writes "max" for no limit, version 1 a number near 2^63.
  const limits = version.limits.map((name) => Number(read(join(folder, name)) ?? Number.NaN));
  const limit = Math.min(...limits.filter((value) => value > 0 && value < 2 ** 60));
  if (limit === Infinity) return undefined;
  const used = Number(read(join(folder, version.usage)) ?? 0);
  const droppable = Number(version.droppable.exec(read(join(folder, 'memory.stat')) ?? '')?.[1] ?? 0);
  return { limit, used: Math.max(0, used - droppable) };
}

/**
 * The memory that `--mem`, `--mem-per-cpu` or `--mem-per-gpu` granted, in bytes; Slurm counts in MiB, and 0 means all
 * of it.
 */
function slurmLimit(environment: NodeJS.ProcessEnv): number {
  const granted = (name: string) => Number(environment[name] ?? Number.NaN);
  const mebibytes = [
    granted('SLURM_MEM_PER_NODE'),
    granted('SLURM_MEM_PER_CPU') * granted('SLURM_CPUS_ON_NODE'),
    granted('SLURM_MEM_PER_GPU') * granted('SLURM_GPUS_ON_NODE'),
  ].filter((value) => value > 0);
  return Math.min(...mebibytes) * 2 ** 20;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
