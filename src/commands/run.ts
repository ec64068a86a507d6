import { join } from 'node:path';
import { loadConfig } from '../config/load.js';
import { resolvedName } from '../config/resolve.js';
import { examplesOfModel } from '../config/schema-model.js';
import { withPlaces } from '../config/source-positions.js';
import { onStop } from '../process/signals.js';
import { metricsOf, type Summary, valKey } from '../runs/summary.js';
import { labelOf, type Metric, valueWithUnit } from '../tasks/metric.js';
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
    flags.json
      ? `${JSON.stringify(summary, null, 2)}\n`
      : report(summary, out, examplesOfModel(config.model.name)),
  );
  if (summary.status === 'diverged') return 1;
  return summary.status === 'interrupted' ? (stop.requested()?.exitCode ?? 143) : 0;
}

function report(summary: Summary, out: string, examples: 'images' | 'clips'): string {
  const inWords = (metric: Metric, value: number | null) =>
    value === null ? 'not evaluated' : valueWithUnit(metric, value);
  const { epochs, steps } = summary;
  const validation = metricsOf(summary).map((metric) => {
    const { final, medianLast5, best } = summary[valKey(metric.name)];
    const [last, median, top] = [final, medianLast5, best].map((value) => inWords(metric, value));
    return `${`validation ${labelOf(metric)}  `.padEnd(18)}${last} last, ${median} median of the last 5 epochs, ${top} best`;
  });
  const ended = {
    completed: `completed ${epochs.total} epoch${epochs.total === 1 ? '' : 's'}`,
    interrupted: `stopped after step ${steps.done} of ${steps.total}; go on with --resume`,
    diverged: `diverged: the loss at step ${summary.divergedAtStep} is not finite; try a lower learningRate.base`,
    running: 'is still running',
    failed: 'failed',
  }[summary.status];
  const speed =
    summary.imagesPerSecond === null ? '' : `, ${summary.imagesPerSecond.toFixed(0)} ${examples}/s`;
  return [
    `${summary.name} (seed ${summary.seed}) ${ended}${speed}`,
    ...validation,
    `curves            ${join(out, 'curves.csv')}`,
    '',
  ].join('\n');
}
