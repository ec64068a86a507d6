import { setTimeout as sleep } from 'node:timers/promises';
import { loadExperiment } from '../experiments/experiment.js';
import { refuseForeign } from '../experiments/snapshot.js';
import { statusJson, statusText } from '../sweep/report-status.js';
import { readQueue } from '../sweep/slurm/slurm.js';
import { readStatus } from '../sweep/status.js';

export interface StatusFlags {
  set?: string[];
  out?: string;
  json?: boolean;
  /** Again and again, until nothing is left to do. */
  watch?: boolean;
}

const watchEvery = 2000;

/** `gnbench status EXPERIMENT`: how every run stands, from what is on disk and in the cluster's queue. @returns 0 */
export async function status(file: string, flags: StatusFlags): Promise<number> {
  const experiment = await loadExperiment(file, flags);
  refuseForeign(experiment);
  for (;;) {
    const statuses = await readStatus(experiment, await readQueue(experiment));
    const text = flags.json
      ? `${JSON.stringify(statusJson(experiment, statuses), null, flags.watch ? undefined : 2)}\n`
      : statusText(experiment, statuses);
    // A terminal shows it in place; elsewhere each look follows the one before.
    process.stdout.write(flags.watch && !flags.json && process.stdout.isTTY ? `\x1b[H\x1b[2J${text}` : text);
    // Nobody reads on (| head).
    if (process.stdout.errored) return 0;
    if (!flags.watch || statuses.every(({ pending }) => !pending)) return 0;
    await sleep(watchEvery);
  }
}
