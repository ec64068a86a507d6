/** The second mode of check.mjs: trains for as long as there is time. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A training whose curves become rows, as far as it came. */
function training(config, settings) {
  return async ({ root, device, signal, add, secondsLeft, short }) => {
    const folder = join(await mkdtemp(join(tmpdir(), 'gnbench-gpu-')), 'run');
    const set = [
      `engine.variant=${device === 'gpu' ? 'cuda' : 'cpu'}`,
      ...settings,
      ...(short ? ['epochs=1'] : []),
    ];
    const flags = set.flatMap((one) => ['--set', one]);
    const args = [join(root, 'bin', 'gnbench.js'), 'train', join(root, 'configs', config), ...flags];
    const stop = setTimeout(() => child.child.kill('SIGINT'), 1000 * Math.max(1, secondsLeft() - 5));
    const child = run(process.execPath, [...args, '--quiet', '--out', folder], { signal });
    const end = await child.catch((error) => error);
    clearTimeout(stop);
    const text = await readFile(join(folder, 'curves.csv'), 'utf8').catch(() => '');
    const [head, ...lines] = text.trim().split('\n');
    if (lines.length === 0)
      throw new Error(
        String(end.stderr ?? end.message)
          .trim()
          .split('\n')
          .at(-1),
      );
    const names = head.split(',');
    for (const line of lines) {
      const row = Object.fromEntries(line.split(',').map((value, i) => [names[i], Number(value)]));
      await add({ config, ...row });
    }
    const last = Object.fromEntries(
      lines
        .at(-1)
        .split(',')
        .map((value, i) => [names[i], value]),
    );
    return `${config}: ${lines.length} epochs, val_error ${last.val_error} %, ${Math.round(last.images_per_second)} images/s`;
  };
}

const paper = (size) => ['batch.workers=8', `batch.size=${size}`, 'epochs=1000'];

/** Name, share of the time, what it does. */
export const trainings = [
  ['quickstart', 0.3, training('quickstart.yaml', [])],
  ['bn-8x32', 0.25, training('resnet-gn-b2.yaml', ['normalizer={name: batch}', ...paper(32)])],
  ['bn-8x2', 0.25, training('resnet-gn-b2.yaml', ['normalizer={name: batch}', ...paper(2)])],
  ['gn-8x2', 0.25, training('resnet-gn-b2.yaml', paper(2))],
];
