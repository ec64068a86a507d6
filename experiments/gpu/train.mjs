/** The second mode of check.mjs: trains for as long as there is time. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Finding, reasonOf } from './reason.mjs';

const run = promisify(execFile);

/** A training whose curves become rows, as far as it came. */
function training(config, settings) {
  return async ({ root, device, add, secondsLeft, short }) => {
    const folder = await mkdtemp(join(tmpdir(), 'gnbench-gpu-'));
    try {
      const set = [
        `engine.variant=${device === 'gpu' ? 'cuda' : 'cpu'}`,
        ...settings,
        // An epoch of all images takes a GPU's seconds and a CPU's minutes.
        ...(short ? ['epochs=1', 'data.trainSubset=512', 'data.valSubset=256'] : []),
      ];
      const flags = set.flatMap((one) => ['--set', one]);
      const args = [join(root, 'bin', 'gnbench.js'), 'train', join(root, 'configs', config), ...flags];
      const limit = Math.max(1, secondsLeft() - 5);
      const end = await untilLimit([...args, '--quiet', '--out', join(folder, 'run')], limit);
      const rows = await readCurves(join(folder, 'run', 'curves.csv'));
      for (const row of rows) await add({ config, ...row });
      const epochs = `${rows.length} epoch${rows.length === 1 ? '' : 's'}`;
      if (end.error && !end.stopped) throw new Finding(`${config}: after ${epochs}: ${whyEnded(end.error)}`);
      if (rows.length === 0) throw new Finding(`${config}: no epoch ended within ${Math.round(limit)} s`);
      const { val_error, images_per_second } = rows.at(-1);
      return `${config}: ${epochs}, val_error ${val_error} %, ${Math.round(images_per_second)} images/s`;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

/** Runs gnbench; when the time is over it is asked to stop, which it does after its step. */
async function untilLimit(args, seconds) {
  let stopped = false;
  const child = run(process.execPath, args);
  const timer = setTimeout(() => {
    stopped = true;
    child.child.kill('SIGINT');
  }, 1000 * seconds);
  const last = setTimeout(() => child.child.kill('SIGKILL'), 1000 * (seconds + 5));
  const error = await child.then(
    () => undefined,
    (reason) => reason,
  );
  clearTimeout(timer);
  clearTimeout(last);
  return { error, stopped };
}

/** A loss that is no number is told on stdout: the run itself has not failed. */
function whyEnded(error) {
  return /diverged: .*/.exec(error.stdout)?.[0] ?? reasonOf(error);
}

async function readCurves(file) {
  const text = await readFile(file, 'utf8').catch(() => '');
  const [head, ...lines] = text.trim().split('\n');
  const names = head.split(',');
  return lines.map((line) =>
    Object.fromEntries(line.split(',').map((value, i) => [names[i], Number(value)])),
  );
}

const paper = (size) => ['batch.workers=8', `batch.size=${size}`, 'epochs=1000'];

/** Name, share of the time, what it does. */
export const trainings = [
  ['quickstart', 0.3, training('quickstart.yaml', [])],
  ['bn-8x32', 0.25, training('resnet-gn-b2.yaml', ['normalizer={name: batch}', ...paper(32)])],
  ['bn-8x2', 0.25, training('resnet-gn-b2.yaml', ['normalizer={name: batch}', ...paper(2)])],
  ['gn-8x2', 0.25, training('resnet-gn-b2.yaml', paper(2))],
];
