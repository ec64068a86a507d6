import type { Experiment } from '../experiments/experiment.js';
import { valKey } from '../runs/summary.js';
import { labelOf, valueWithUnit } from '../tasks/metric.js';
import { columns } from '../terminal/columns.js';
import { type RunStatus, runStates } from './status.js';

/** The JSON that `--json` prints of an experiment's runs. */
export function statusJson(experiment: Experiment, statuses: readonly RunStatus[]) {
  return {
    name: experiment.name,
    folder: experiment.folder,
    counts: counts(statuses),
    runs: statuses.map(({ run, state, epochs, metric, validation, attempts, note }) => ({
      cell: run.cell.key,
      label: run.cell.label,
      seed: run.seed,
      folder: run.folder,
      state,
      epochs,
      [valKey(metric.name)]: validation ?? null,
      attempts,
      note: note ?? null,
    })),
  };
}

/** A line a run, in the order in which they go, and the sums below. */
export function statusText(experiment: Experiment, statuses: readonly RunStatus[]): string {
  const rows = statuses.map(({ run, state, epochs, metric, validation, note }) => [
    run.cell.label,
    `seed ${run.seed}`,
    state,
    `${epochs.done}/${epochs.total ?? '?'}`,
    validation === undefined ? '' : valueWithUnit(metric, validation),
    note ?? '',
  ]);
  const head = ['cell', '', 'state', 'epochs', statuses[0] ? labelOf(statuses[0].metric) : '', ''];
  return `${experiment.title}\n\n${columns([head, ...rows], [3, 4])}\n\n${countsText(statuses)} · ${experiment.folder}\n`;
}

export function countsText(statuses: readonly RunStatus[]): string {
  const found = Object.entries(counts(statuses)).filter(([, count]) => count > 0);
  return found.map(([state, count]) => `${count} ${state}`).join(', ');
}

function counts(statuses: readonly RunStatus[]): Record<string, number> {
  return Object.fromEntries(
    runStates.map((state) => [state, statuses.filter((status) => status.state === state).length]),
  );
}
