import { UserError } from '../../errors.js';
import type { SlurmResources } from '../../experiments/schema.js';
import { quoted } from '../../terminal/words.js';

/** A batch script that a command replaces by `exec`, so that Slurm's signal reaches gnbench and not a shell. */
export function batchScript(command: readonly string[]): string {
  return [
    '#!/bin/sh',
    '# One run of a sweep: task $SLURM_ARRAY_TASK_ID of the list beside this file.',
    `exec ${command.map(quoted).join(' ')} "$SLURM_ARRAY_TASK_ID"`,
    '',
  ].join('\n');
}

/** The arguments of `sbatch` for tasks 0 to `count` − 1. */
export function sbatchArguments(
  resources: SlurmResources,
  job: {
    name: string;
    count: number;
    folder: string;
    logs: string;
    script: string;
    after?: readonly string[];
  },
): string[] {
  const { partition, account, qos, constraint, time, cpus, gpus, memory, maxRunning, warnSeconds } =
    resources;
  const atOnce = maxRunning === undefined ? '' : `%${maxRunning}`;
  const given = (option: string, value: string | undefined) =>
    value === undefined ? [] : [`--${option}=${value}`];
  return [
    '--parsable',
    `--job-name=gnbench-${job.name}`,
    `--array=0-${job.count - 1}${atOnce}`,
    `--time=${time}`,
    `--signal=B:USR2@${warnSeconds}`,
    '--requeue',
    // However these end: a run whose weights are not there is refused, and the next sweep submits it.
    ...given('dependency', job.after?.length ? `afterany:${job.after.join(':')}` : undefined),
    '--ntasks=1',
    `--cpus-per-task=${cpus}`,
    ...(gpus > 0 ? [`--gres=gpu:${gpus}`] : []),
    ...given('mem', memory),
    ...given('partition', partition),
    ...given('account', account),
    ...given('qos', qos),
    ...given('constraint', constraint),
    `--chdir=${job.folder}`,
    '--open-mode=append',
    `--output=${job.logs}/%a.log`,
    job.script,
  ];
}

/** Slurm counts time limits in minutes and may send its warning one minute early: a run needs time before that. */
export function checkTime({ time, warnSeconds }: SlurmResources): void {
  if (timeSeconds(time) <= warnSeconds + 60) {
    throw new UserError(
      `a time limit of ${time} leaves no time before the warning ${warnSeconds} s ahead of it`,
      {
        place: 'slurm.time',
        fix: 'a longer time, or fewer warnSeconds; Slurm may warn a minute early',
      },
    );
  }
}

/**
 * Slurm's `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`, `days-hours:minutes` and so on, in
 * seconds.
 */
export function timeSeconds(time: string): number {
  const [, days, rest] = /^(?:(\d+)-)?(.*)$/.exec(time)!;
  const parts = rest.split(':').map(Number);
  if (days !== undefined) {
    const [hours, minutes = 0, seconds = 0] = parts;
    return ((Number(days) * 24 + hours) * 60 + minutes) * 60 + seconds;
  }
  if (parts.length === 3) return (parts[0] * 60 + parts[1]) * 60 + parts[2];
  return parts[0] * 60 + (parts[1] ?? 0);
}
