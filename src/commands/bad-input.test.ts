/**
 * Data that cannot be trained on are refused by `gnbench run` before an engine is loaded; data that only look odd are
 * used.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Sharp } from 'sharp';
import { imageFile } from '../datasets/testing/image-file.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-bad-input-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** An engine is not to be had, and nothing is remembered of image files. */
const withoutEngine = { GNBENCH_CACHE: join(scratch, 'no-cache'), PIP_NO_INDEX: '1' };

let folders = 0;
/** Two classes with two images in each split; `change` sees the folder. */
async function imageFolders(change: (root: string) => unknown): Promise<string> {
  const root = join(scratch, `images${folders++}`);
  for (const split of ['train', 'val']) {
    for (const [label, name] of ['cat', 'dog'].entries()) {
      fs.mkdirSync(join(root, split, name), { recursive: true });
      for (const index of [0, 1]) {
        await imageFile(2 * label + index)
          .jpeg()
          .toFile(join(root, split, name, `${index}.jpg`));
      }
    }
  }
  await change(root);
  return root;
}

function train(root: string, set: string[] = [], environment: Record<string, string> = {}) {
  const file = `${root}.yaml`;
  const data = `data: { name: image-folder, train: ${root}/train, val: ${root}/val, resolution: 16 }`;
  const model = 'model: resnet20\nnormalizer: gn\nbatch: { size: 2 }\nepochs: 1';
  const engine = 'engine: { variant: cpu, intraOpThreads: 1, interOpThreads: 1 }';
  fs.writeFileSync(file, [model, data, engine, ''].join('\n'));
  const out = `${root}-run`;
  return new Promise<{ code: number; stderr: string; out: string }>((resolve) => {
    const env = { ...process.env, ...environment };
    const changes = set.flatMap((change) => ['--set', change]);
    const args = ['bin/gnbench.js', 'run', file, '--out', out, '--quiet', ...changes];
    execFile(process.execPath, args, { env }, (error, _, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stderr, out }),
    );
  });
}

async function refused(root: string, set: string[], expected: RegExp): Promise<void> {
  const { code, stderr, out } = await train(root, set, withoutEngine);
  assert.equal(code, 2, stderr);
  assert.match(stderr, expected);
  assert.ok(!fs.existsSync(out), 'nothing is written');
}

test('an empty class folder', async () => {
  const root = await imageFolders((folder) => fs.mkdirSync(join(folder, 'train', 'eel')));
  await refused(root, [], /data\.train: .*: a class has no image: eel\n {2}put \.jpg/);
});

test('classes that differ between training and validation', async () => {
  const root = await imageFolders((folder) =>
    fs.renameSync(join(folder, 'val', 'dog'), join(folder, 'val', 'eel')),
  );
  await refused(root, [], /only in data\.train: dog; only in data\.val: eel/);
});

test('an image that cannot be decoded', async () => {
  const root = await imageFolders((folder) =>
    fs.writeFileSync(join(folder, 'val', 'cat', '1.jpg'), 'no picture'),
  );
  await refused(root, [], /val\/cat\/1\.jpg: broken image: neither a JPEG nor a PNG file/);
});

test('a step that no machine’s memory can hold', async () => {
  const root = await imageFolders(() => {});
  // As many as are expected: whether they are there is looked at later.
  const expect = ['data.expect.classes=2', 'data.expect.train=100000', 'data.expect.val=4'];
  const huge = ['model=vgg16', 'normalizer=bn', 'batch.size=65536', 'data.resolution=224', ...expect];
  await refused(
    root,
    huge,
    /^error: --set batch\.size: batch\.size: a step with 65,536 images at once needs about [\d.]+ GiB, and this process may use [\d.]+\n {2}choose a smaller batch/,
  );
});

test('one pixel, CMYK, 16 bits and grey are images like others', async () => {
  const root = await imageFolders(async (folder) => {
    const write = (split: string, name: string, image: Sharp) => image.toFile(join(folder, split, name));
    for (const split of ['train', 'val']) {
      await write(split, 'cat/one.png', imageFile(5, 1, 1).png());
      await write(split, 'cat/cmyk.jpg', imageFile(6).toColourspace('cmyk').jpeg());
      await write(split, 'dog/sixteen.png', imageFile(7).toColourspace('rgb16').png());
      await write(split, 'dog/grey.png', imageFile(8).toColourspace('b-w').png());
    }
  });
  const { code, stderr, out } = await train(root);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(fs.readFileSync(join(out, 'curves.csv'), 'utf8'), /^1,4,8,/m);
});
