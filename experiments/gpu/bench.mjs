/** The speed of gnbench and of PyTorch, setting by setting: a part of check.mjs. */
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Finding, reasonOf } from './reason.mjs';

const run = promisify(execFile);

/** In the order of their importance, so that what there is no time for is what matters least. */
function settings({ short, device }) {
  const precisions = device === 'gpu' ? ['float32', 'bfloat16', 'tf32'] : ['float32'];
  if (short) return [{ model: 'resnet20', normalizer: 'group', batch: 2, workers: 1, precision: 'float32' }];
  const of = (model, batches, formats, normalizers = ['batch', 'group']) =>
    formats.flatMap((precision) =>
      batches.flatMap(([workers, batch]) =>
        normalizers.map((normalizer) => ({ model, normalizer, batch, workers, precision })),
      ),
    );
  const asked = [
    [1, 2],
    [1, 128],
    [8, 2],
    [1, 32],
  ];
  return [
    ...of('resnet20', asked.slice(0, 2), precisions.slice(0, 1)),
    ...of('resnet50', [[8, 32]], precisions.slice(1)),
    ...of('resnet20', asked.slice(2), precisions.slice(0, 1)),
    ...of('resnet20', asked, precisions.slice(1)),
    ...of('resnet20', [...asked, [1, 4], [1, 8], [8, 4], [8, 8], [8, 32]], precisions, ['none']),
    ...of(
      'resnet20',
      [
        [1, 4],
        [1, 8],
        [8, 4],
        [8, 8],
        [8, 32],
      ],
      precisions,
    ),
  ];
}

/** gnbench and PyTorch in turn, setting by setting, on this card; one at a time, as XLA and cuDNN time their kernels too. */
export async function bench(context) {
  const list = settings(context);
  const peer = await openPeer(context);
  const ratios = [];
  const failures = [];
  /** Rows count as they come; what was ended because the time was over has not failed. */
  const keep = async (row) => {
    if (row.error && context.signal.aborted) return;
    if (row.error) failures.push(row);
    await context.add(row);
  };
  let measured = 0;
  for (const [index, setting] of list.entries()) {
    if (context.secondsLeft() < 20) break;
    const own = await attempt(setting, 'xla', context);
    await keep(own);
    // What XLA leaves out, gnbench's own kernels, beside it: at the sizes that tell most.
    if (index < 4) await keep(await attempt(setting, 'none', context));
    const others = peer ? await peer.measure(setting) : [];
    for (const row of others) await keep(row);
    if (own.error) continue;
    measured++;
    const best = Math.max(...others.map(({ imagesPerSecond = 0 }) => imagesPerSecond));
    if (best > 0) ratios.push(own.imagesPerSecond / best);
  }
  peer?.close();
  const parts = [`${measured} of ${list.length} settings`];
  const above = ratios.filter((ratio) => ratio >= 1.2).length;
  if (ratios.length > 0) parts.push(`at least 1.2 × PyTorch's best in ${above} of ${ratios.length}`);
  if (failures.length === 0) return parts.join('; ');
  const [{ framework, model, normalizer, images, precision, setting, error }] = failures;
  const count = failures.length === 1 ? '1 measurement' : `${failures.length} measurements`;
  const which = [framework, model, normalizer, images, precision, setting].join(' ');
  throw new Finding([...parts, `${count} failed, the first: ${which}: ${error}`].join('; '));
}

const attempt = (setting, compiler, context) =>
  measure(setting, compiler, context).catch((error) => ({
    framework: 'gnbench',
    ...setting,
    images: setting.batch * setting.workers,
    setting: compiler,
    error: reasonOf(error),
  }));

async function measure({ model, normalizer, batch, workers, precision }, compiler, { root, device, signal }) {
  const set = [`batch.workers=${workers}`, `engine.variant=${device === 'gpu' ? 'cuda' : 'cpu'}`];
  if (model === 'resnet20') set.push('model.shortcut=projection');
  set.push(`engine.compiler=${compiler}`);
  const args = ['--model', model, '--batch', batch, '--normalizer', normalizer, '--precision', precision];
  const flags = ['--steps', model === 'resnet50' ? 10 : 50, ...set.flatMap((one) => ['--set', one])];
  const command = [join(root, 'bin', 'gnbench.js'), 'bench', '--json', ...args, ...flags].map(String);
  const { stdout } = await run(process.execPath, command, { signal });
  const [row] = JSON.parse(stdout);
  return { framework: 'gnbench', ...row, images: batch * workers, setting: compiler };
}

/** PyTorch in one process, which takes seconds to start; undefined where there is none, or no GPU. */
async function openPeer({ root, python, device, signal, short }) {
  if (device !== 'gpu' && !short) return undefined;
  const script = join(root, 'experiments', 'gpu', 'pytorch_steps.py');
  const found = await run(python, ['-c', 'import torch, torchvision'], { signal }).catch(() => undefined);
  if (!found) return undefined;
  const child = spawn(python, [script], { signal, stdio: ['pipe', 'pipe', 'ignore'] });
  child.on('error', () => {});
  child.stdin.on('error', () => {}); // it has ended: its answer is missing, too
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const kinds = device === 'gpu' ? ['graph', 'graph-channels-last', 'channels-last'] : ['eager'];
  return {
    async measure({ batch, workers, ...setting }) {
      const rows = [];
      for (const kind of kinds) {
        child.stdin.write(`${JSON.stringify({ ...setting, images: batch * workers, setting: kind })}\n`);
        const { value, done } = await lines.next();
        const none = { framework: 'pytorch', ...setting, setting: kind, error: 'its process has ended' };
        rows.push({ ...(done ? none : JSON.parse(value)), images: batch * workers, batch, workers });
        if (done) break;
      }
      return rows;
    },
    close: () => child.kill(),
  };
}
