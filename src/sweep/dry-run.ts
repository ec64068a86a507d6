import type { Experiment } from '../experiments/experiment.js';
import { planCell } from '../experiments/plan.js';
import { columns } from '../terminal/columns.js';
import { duration } from '../terminal/progress.js';
import { estimateRun, sideBySide } from './estimate.js';
import { readStatus } from './status.js';

/** Each cell of an experiment with what it takes, and the whole. Seconds are of one run with `jobs` runs at a time. */
export async function dryRun(
  experiment: Experiment,
  machine: { jobs: number; cores: number; data?: string },
) {
  const statuses = await readStatus(experiment);
  const cells = experiment.cells.map((cell) => {
    const { rate, imagesPerStep, totalSteps } = planCell(cell.config, machine.data);
    const own = statuses.filter(({ run }) => run.cell === cell);
    const left = own.filter(({ pending }) => pending);
    const { seconds, from } = estimateRun(experiment, cell, machine);
    return {
      key: cell.key,
      label: cell.label,
      rate,
      imagesPerStep,
      totalSteps,
      runs: own.length,
      toDo: left.length,
      secondsPerRun: seconds,
      secondsFrom: from,
      // The steps that an interrupted run has behind it are not run again.
      secondsEach: left.map(({ share }) => seconds * (1 - share)),
    };
  });
  const secondsLeft = sideBySide(
    cells.flatMap(({ secondsEach }) => secondsEach),
    machine.jobs,
  );
  return { name: experiment.name, folder: experiment.folder, ...machine, cells, secondsLeft };
}

export type DryRun = Awaited<ReturnType<typeof dryRun>>;

export function dryRunText(title: string, plan: DryRun): string {
  const time = (seconds: number) => duration(seconds * 1000);
  const rows = plan.cells.map((cell) => [
    cell.key,
    String(cell.rate),
    String(cell.imagesPerStep),
    String(cell.totalSteps),
    `${cell.toDo} of ${cell.runs}`,
    time(cell.secondsPerRun),
    cell.secondsFrom,
  ]);
  const head = ['cell', 'rate', 'images/step', 'steps', 'to do', 'a run', 'estimated from'];
  const jobs = plan.jobs === 1 ? 'one run' : `${plan.jobs} runs`;
  return [
    title,
    '',
    columns([head, ...rows], [1, 2, 3, 5]),
    '',
    `about ${time(plan.secondsLeft)} for what is left, ${jobs} at a time · ${plan.folder}`,
    '',
  ].join('\n');
}
