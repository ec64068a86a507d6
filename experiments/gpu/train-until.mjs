/** One run of gnbench with a time limit, as far as it comes. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Finding, reasonOf } from './reason.mjs';

/** Seconds for gnbench between being asked to stop and being ended: it finishes a step and saves. */
const toStop = 5;

/**
 * Trains a configuration for as long as there is time.
 * @returns the rows of its curves, at least one, and its summary
 * @throws Finding when it fails, or has not ended an epoch in time
 */
export async function trainUntil(config, set, { root, device, secondsLeft }) {
  const folder = await mkdtemp(join(tmpdir(), 'gnbench-gpu-'));
  try {
    const variant = `engine.variant=${device === 'gpu' ? 'cuda' : 'cpu'}`;
    const flags = [variant, ...set].flatMap((one) => ['--set', one]);
    const args = [join(root, 'bin', 'gnbench.js'), 'train', join(root, 'configs', config), ...flags];
    const limit = Math.max(1, secondsLeft() - toStop);
    const { error, stopped } = await runUntil(limit, [...args, '--quiet', '--out', join(folder, 'run')]);
    const rows = readCurves(await textOf(join(folder, 'run', 'curves.csv')));
    if (error && !stopped) throw new Finding(`${config}: after ${epochsOf(rows)}: ${whyEnded(error)}`);
    if (rows.length === 0) throw new Finding(`${config}: no epoch ended within ${Math.round(limit)} s`);
    return { rows, summary: JSON.parse((await textOf(join(folder, 'run', 'summary.json'))) || '{}') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const epochsOf = (rows) => `${rows.length} epoch${rows.length === 1 ? '' : 's'}`;

async function runUntil(seconds, args) {
  let stopped = false;
  const running = promisify(execFile)(process.execPath, args);
  const ask = setTimeout(() => {
    stopped = true;
    running.child.kill('SIGINT');
  }, 1000 * seconds);
  const end = setTimeout(() => running.child.kill('SIGKILL'), 1000 * (seconds + toStop));
  const error = await running.then(
    () => undefined,
    (reason) => reason,
  );
  clearTimeout(ask);
  clearTimeout(end);
  return { error, stopped };
}

/** A loss that is no number is told on stdout: the run itself has not failed. */
const whyEnded = (error) => /diverged: .*/.exec(error.stdout)?.[0] ?? reasonOf(error);

const textOf = (file) => readFile(file, 'utf8').catch(() => '');

function readCurves(text) {
  const [head, ...lines] = text.trim().split('\n');
  const names = head.split(',');
  return lines.map((line) =>
    Object.fromEntries(line.split(',').map((value, i) => [names[i], Number(value)])),
  );
}
