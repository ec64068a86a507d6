import { normalize, sep } from 'node:path';
import { UserError } from '../errors.js';
import { type Experiment, loadExperiment } from '../experiments/experiment.js';
import { refuseForeign } from '../experiments/snapshot.js';
import { dryRun, dryRunText } from '../sweep/dry-run.js';
import { defaultJobs, thisMachine } from '../sweep/local/share.js';
import { refuseMixture } from '../sweep/mixture.js';
import { prepare } from '../sweep/prepare.js';
import { countsText, statusJson } from '../sweep/report-status.js';
import { readQueue } from '../sweep/slurm/slurm.js';
import { type Queue, type RunStatus, readStatus } from '../sweep/status.js';
import { sweepHere, sweepOnSlurm } from '../sweep/sweep.js';
import { listUpTo } from '../terminal/words.js';

export interface SweepFlags {
  /** Runs at a time; one a core or one a device when left out. */
  jobs?: number;
  launcher?: 'local' | 'slurm';
  dryRun?: boolean;
  failFast?: boolean;
  /** Runs of a cell may differ in engine.convolutions. */
  mixedConvolutions?: boolean;
  set?: string[];
  /** `key=value` over the experiment's `slurm` keys. */
  slurm?: string[];
  data?: string;
  out?: string;
  tensorboard?: boolean;
  quiet?: boolean;
  json?: boolean;
  debug?: boolean;
}

/**
 * `gnbench sweep EXPERIMENT…`: does what is left of the experiments, here or on a cluster.
 *
 * @returns the exit code: 0 all finished (or submitted), 1 not all, 130, 143 or 75 when told to stop
 */
export async function sweep(files: string | readonly string[], flags: SweepFlags): Promise<number> {
  if ((flags.slurm ?? []).length > 0 && flags.launcher !== 'slurm') {
    throw new UserError('is for runs on a cluster', {
      place: '--slurm',
      fix: 'add --launcher slurm, or leave it out',
    });
  }
  const experiments = await loadAll(typeof files === 'string' ? [files] : files, flags);
  for (const experiment of experiments) refuseForeign(experiment);
  if (flags.out !== undefined) refuseWeightsElsewhere(experiments);
  const machine = thisMachine();
  const statuses = (await Promise.all(experiments.map((experiment) => readStatus(experiment)))).flat();
  const left = statuses.filter(({ pending }) => pending).length;
  const jobs = flags.jobs ?? defaultJobs(machine, left);
  if (flags.dryRun) return print(experiments, flags, { jobs, cores: machine.cores, data: flags.data });
  if (!flags.mixedConvolutions) experiments.forEach(refuseMixture);
  if (left > 0) await prepare(experiments, flags);
  else if (!flags.quiet) process.stderr.write(`${whyNothingIsLeft(statuses)}\n`);
  const common = {
    experiments,
    failFast: flags.failFast ?? false,
    data: flags.data,
    quiet: flags.quiet ?? false,
    flags: [
      ...(flags.data === undefined ? [] : ['--data', flags.data]),
      ...(flags.tensorboard ? ['--tensorboard'] : []),
      ...(flags.debug ? ['--debug'] : []),
    ],
  };
  if (flags.launcher === 'slurm') {
    const lines = await sweepOnSlurm({ ...common, jobs: flags.jobs, resources: flags.slurm ?? [] });
    process.stdout.write(flags.json ? await allStatuses(experiments, readQueue) : `${lines.join('\n')}\n`);
    return 0;
  }
  const exitCode = await sweepHere({ ...common, machine, jobs });
  process.stdout.write(flags.json ? await allStatuses(experiments) : await closing(experiments));
  return exitCode;
}

async function loadAll(files: readonly string[], { set, out, data }: SweepFlags): Promise<Experiment[]> {
  const experiments: Experiment[] = [];
  for (const file of files) experiments.push(await loadExperiment(file, { set, out, data, check: true }));
  const twice = experiments.find(
    ({ name }, index) => experiments.findIndex((other) => other.name === name) < index,
  );
  if (twice) throw new UserError(`the experiment ${twice.name} is named twice`, { place: twice.file });
  return experiments;
}

/** @throws UserError where runs begin with weights in results/ that this sweep is to make in another folder */
function refuseWeightsElsewhere(experiments: readonly Experiment[]): void {
  for (const { name, runs } of experiments) {
    for (const { cell } of runs) {
      const [top, made] = normalize(cell.config.init?.weights ?? '').split(sep);
      if (top !== 'results' || !experiments.some((other) => other.name === made && other.name !== name))
        continue;
      throw new UserError(`${name} begins with weights in results/${made}, and --out makes them elsewhere`, {
        place: '--out',
        fix: 'leave it out, or work in a copy of the project’s folder',
      });
    }
  }
}

async function print(
  experiments: readonly Experiment[],
  flags: SweepFlags,
  machine: { jobs: number; cores: number; data?: string },
): Promise<number> {
  const plans = await Promise.all(experiments.map((experiment) => dryRun(experiment, machine)));
  const texts = plans.map((plan, index) => dryRunText(experiments[index].title, plan));
  process.stdout.write(flags.json ? `${JSON.stringify(plans, null, 2)}\n` : texts.join('\n'));
  return 0;
}

function whyNothingIsLeft(statuses: readonly RunStatus[]): string {
  const damaged = statuses.filter((each) => each.damaged);
  if (damaged.length > 0) {
    const notes = damaged.map(({ note }) => note ?? '');
    return `nothing is left to do as it is: ${listUpTo(notes, 3)}`;
  }
  const failed = statuses.filter(({ state }) => state === 'failed');
  if (failed.length === 0) return 'nothing is left to do; to do it again, choose another folder with --out';
  const records = failed.map(({ run }) => `${run.folder}.attempts.json`);
  const runs = failed.length === 1 ? '1 run' : `${failed.length} runs`;
  return `nothing is left to do: ${runs} failed too often to be tried again by themselves; to try them again, delete ${listUpTo(records, 3)}`;
}

async function allStatuses(
  experiments: readonly Experiment[],
  queueOf?: (experiment: Experiment) => Promise<Queue>,
): Promise<string> {
  const all = experiments.map(async (experiment) =>
    statusJson(experiment, await readStatus(experiment, await queueOf?.(experiment))),
  );
  return `${JSON.stringify(await Promise.all(all), null, 2)}\n`;
}

async function closing(experiments: readonly Experiment[]): Promise<string> {
  const lines = experiments.map(
    async (experiment) => `${experiment.folder}: ${countsText(await readStatus(experiment))}\n`,
  );
  return (await Promise.all(lines)).join('');
}
