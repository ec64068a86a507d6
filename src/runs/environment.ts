/** `environment.json`: what a run ran on, for whoever compares its figures with theirs. No host, user or path. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The facts that only the run itself knows. */
export interface RunFacts {
  tensorflow: string;
  engine: { variant: string; source: string };
  device: string;
  /**
   * The instruction set that the fused kernels were compiled for (`avx2`, `amx_bf16`, …): others round otherwise.
   * Absent where none ran.
   */
  instructionSet?: string;
  threads: { intraOp: number; interOp: number };
  /** sha256 or md5 of the data's files by name. */
  data: Record<string, string>;
  /** Operation by operation; one thread and deterministic kernels. */
  eager?: boolean;
  deterministic?: boolean;
  /** sha256 of the weights that it began with, where they were read from a file. */
  initialWeights?: string;
}

export interface Environment extends RunFacts {
  gnbench: string;
  node: string;
  platform: string;
  cpu: { model: string; cores: number };
  memoryBytes: number;
  /** The revision of the source, when it runs from a git checkout. */
  source?: { revision: string; dirty: boolean };
}

/** The facts in a run's `environment.json`; undefined if it was killed before that was written. */
export function readRunFacts(file: string): Partial<RunFacts> | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

export async function collectEnvironment(facts: RunFacts): Promise<Environment> {
  const processors = cpus();
  const source = await sourceRevision();
  return {
    gnbench: await packageVersion(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    cpu: { model: processors[0]?.model.trim() ?? 'unknown', cores: processors.length },
    memoryBytes: totalmem(),
    ...(source && { source }),
    ...facts,
  };
}

export async function packageVersion(): Promise<string> {
  return JSON.parse(await readFile(`${root}/package.json`, 'utf8')).version;
}

/**
 * The commit that runs, and whether tracked files differ from it; undefined outside a checkout of its own or without
 * git.
 */
async function sourceRevision(): Promise<Environment['source']> {
  const git = async (...args: string[]) =>
    (
      await promisify(execFile)('git', ['--no-optional-locks', ...args], { cwd: root, timeout: 5000 })
    ).stdout.trim();
  try {
    const [top, revision] = (await git('rev-parse', '--show-toplevel', 'HEAD')).split('\n');
    // Installed inside another project, the revision would be that project's.
    if ((await realpath(top)) !== (await realpath(root))) return undefined;
    return { revision, dirty: (await git('status', '--porcelain', '--untracked-files=no')) !== '' };
  } catch {
    return undefined;
  }
}
