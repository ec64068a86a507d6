import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { UserError } from '../../errors.js';
import { lastLines, runCommand } from './command.js';
import { installCommand } from './platform.js';

export interface Compiler {
  /** Program and leading arguments, e.g. `['g++']` or `['ccache', 'g++']`. */
  command: string[];
  version: string;
}

export interface CompilerOptions {
  signal?: AbortSignal;
  debug?: boolean;
}

/** `$CXX`, else the first of g++, c++ and clang++ on the PATH that answers; undefined when there is none. */
export async function findCompiler(): Promise<Compiler | undefined> {
  const wanted = process.env.CXX?.trim();
  const candidates = wanted ? [wanted.split(/\s+/)] : [['g++'], ['c++'], ['clang++']];
  for (const command of candidates) {
    const [file, ...args] = command;
    // clang++ answers with the version of g++ that it stands in for; its own is in --version.
    const probe = /clang/.test(command.join(' ')) ? ['--version'] : ['-dumpfullversion', '-dumpmachine'];
    const result = await runCommand(file, [...args, ...probe]).catch(() => undefined);
    if (result?.code === 0) return { command, version: lastLines(result.stdout, 4).replaceAll('\n', ' ') };
  }
  return undefined;
}

export function missingCompiler(): UserError {
  return new UserError(
    process.env.CXX
      ? `the C++ compiler that CXX names does not run: ${process.env.CXX}`
      : "a C++ compiler is missing: it builds the binding between Node and TensorFlow's library, once",
    { fix: installCommand('compiler'), exitCode: 1 },
  );
}

/** The sources and the compiler do not go together: trying again is in vain. */
export class CompileError extends UserError {
  override name = 'CompileError';
}

export interface SourceFile {
  path: string;
  flags: string[];
}

/**
 * Compiles sources, each with flags of its own and as many at once as there are cores, and links them to the shared
 * object `output`; object files go to `scratch`.
 * @throws CompileError with the compiler's first complaint, `ENOSPC`, or UserError when it was ended from outside.
 */
export async function compile(
  compiler: Compiler,
  { sources, linkFlags }: { sources: SourceFile[]; linkFlags: string[] },
  output: string,
  scratch: string,
  options: CompilerOptions = {},
): Promise<void> {
  const [file, ...args] = compiler.command;
  const run = async (what: string, flags: string[]) => {
    // Its temporary files too go to the disk that was found large enough.
    const env = { ...process.env, TMPDIR: scratch };
    const result = await runCommand(file, [...args, ...flags], { ...options, env });
    if (result.code === 0) return;
    const output = result.stderr || result.stdout;
    const first =
      output.split('\n').find((line) => /error|cannot|killed/i.test(line)) ?? lastLines(output, 3);
    if (/No space left on device/.test(output)) throw Object.assign(new Error(output), { code: 'ENOSPC' });
    // A want of memory or room for a while is no fault of the sources: the next start tries again.
    const ended = /\bKilled\b|Cannot allocate memory|virtual memory exhausted|Disk quota exceeded/.exec(
      output,
    )?.[0];
    if (result.code === undefined || ended) {
      throw new UserError(`${file} was ended while it compiled ${what}${ended ? ` (${ended})` : ''}`, {
        fix: 'free memory and disk, then npx gnbench setup; the next run tries it again, too',
        exitCode: 1,
        cause: new Error(lastLines(output, 40)),
      });
    }
    throw new CompileError(`${file} failed on ${what}: ${first}`, {
      fix: 'npx gnbench setup --debug shows all that the compiler says; g++ 11 or newer is needed, or clang++ 12 (CXX names another one)',
      exitCode: 1,
      cause: new Error(lastLines(output, 40)),
    });
  };
  const objects = sources.map(({ path }, index) => join(scratch, `${index}-${basename(path)}.o`));
  const queue = sources.map((source, index) => ({ source, object: objects[index] }));
  const worker = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) {
      await run(basename(job.source.path), [...job.source.flags, '-c', job.source.path, '-o', job.object]);
    }
  };
  const results = await Promise.allSettled(Array.from({ length: availableParallelism() }, worker));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  await run(basename(output), ['-shared', ...objects, ...linkFlags, '-o', output]);
}
