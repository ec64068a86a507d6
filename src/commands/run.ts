import { join } from 'node:path';
import { loadConfig } from '../config/load.js';
import { resolvedName } from '../config/resolve.js';
import { withPlaces } from '../config/source-positions.js';
import { onStop } from '../process/signals.js';
import { summaryInWords } from '../runs/summary-in-words.js';
import { type RunOptions, run as runExperiment } from '../training/run.js';

export interface RunFlags {
  set: string[];
  out?: string;
  data?: string;
  sameDataIn?: string;
  resume?: boolean;
  force?: boolean;
  eager?: boolean;
  deterministic?: boolean;
  tensorboard?: boolean;
  json?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

/** `gnbench run CONFIG`: trains, and prints where the results are and the error. @returns the exit code */
export async function run(file: string, flags: RunFlags): Promise<number> {
  const note = (message: string) => {
    if (!flags.quiet) process.stderr.write(`${message}\n`);
  };
  // First of all: a signal that comes while the engine loads must not go unheard.
  const stop = onStop(({ signal }) =>
    note(`\n${signal}: finishing the step, then saving; again to exit at once`),
  );
  // True when the sweep that started this run is gone. It is asked, not listened for: the sweep may go before a listener is
  // there, and a listener would keep this process from ending.
  const orphaned = () => process.send !== undefined && !process.connected;

  const config = await loadConfig(file, flags.set);
  const out = flags.out ?? join('results', 'runs', resolvedName(config));
  const options: RunOptions = {
    out,
    mode: flags.force ? 'force' : flags.resume ? 'resume' : 'new',
    dataFolder: flags.data,
    sameDataIn: flags.sameDataIn,
    eager: flags.eager ?? false,
    deterministic: flags.deterministic ?? false,
    tensorboard: flags.tensorboard ?? false,
    quiet: flags.quiet ?? false,
    debug: flags.debug ?? false,
    stopRequested: () => stop.requested() ?? (orphaned() ? { signal: 'SIGTERM', exitCode: 143 } : undefined),
    note,
  };
  const summary = await withPlaces(config, () => runExperiment(config, options));
  process.stdout.write(
    flags.json ? `${JSON.stringify(summary, null, 2)}\n` : summaryInWords(summary, config, out),
  );
  if (summary.status === 'diverged') return 1;
  return summary.status === 'interrupted' ? (stop.requested()?.exitCode ?? 143) : 0;
}
