/** `gnbench predict` finds in image files what the run's own evaluation found in the same images. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { drawScene } from '../../datasets/scenes.js';

const commandLine = fileURLToPath(new URL('../../cli.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'gnbench-predict-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const gnbench = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [commandLine, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

const config = `
model:
  { name: mask-rcnn, backbone: resnet18, neckChannels: 16, headChannels: 16, denseUnits: 32, maskConvolutions: 1,
    anchors: { sizes: [8, 16, 32, 64, 128] },
    proposals: { perImage: 32, candidates: { train: 40, test: 30 }, kept: { train: 30, test: 20 } },
    regions: { perImage: 16 } }
normalizer: { name: group, groups: 8 }
data: { name: shapes, side: 64, trainImages: 8, valImages: 2 }
batch: { size: 2 }
learningRate: { base: 0.01, per: 2 }
epochs: 1
evaluate: { batchSize: 1 }
`;

interface Written {
  image_id: number;
  category_id: number;
  score: number;
  bbox: number[];
  segmentation: { counts: string };
}

test('predictions are those of the evaluation, drawn into a copy of each image', async () => {
  const [file, run, out] = ['small.yaml', 'run', 'pictures'].map((name) => join(scratch, name));
  writeFileSync(file, config);
  const trained = gnbench('run', file, '--out', run, '--quiet');
  assert.equal(trained.status, 0, trained.stderr);
  const { pixels } = drawScene(2, 1, 64);
  const image = join(scratch, 'scene.png');
  await sharp(Buffer.from(pixels), { raw: { width: 64, height: 64, channels: 3 } }).toFile(image);

  const { status, stdout, stderr } = gnbench(
    'predict',
    run,
    image,
    '--out',
    out,
    '--min-score',
    '0',
    '--json',
    '--quiet',
  );
  assert.equal(status, 0, stderr);
  const [found] = JSON.parse(stdout);
  assert.deepEqual([found.image, found.drawn], [image, join(out, 'scene.png')]);
  const written: Written[] = JSON.parse(readFileSync(join(run, 'detections.json'), 'utf8'));
  const expected = written.filter(({ image_id }) => image_id === 2);
  assert.ok(expected.length > 3);
  assert.deepEqual(
    found.objects.map(({ score, bbox, segmentation }: Written) => [score, bbox, segmentation.counts]),
    expected.map(({ score, bbox, segmentation }) => [score, bbox, segmentation.counts]),
  );
  const names = ['circle', 'box', 'triangle'];
  assert.ok(
    found.objects.every((each: { class: string }) => names.includes(each.class)),
    stdout.slice(0, 300),
  );
  const drawn = await sharp(found.drawn).raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([drawn.info.width, drawn.info.height], [64, 64]);
  assert.notDeepEqual([...drawn.data], [...pixels]);

  const none = gnbench('predict', run, image, image, '--out', out, '--min-score', '1');
  assert.equal(none.status, 0, none.stderr);
  assert.equal(none.stdout, `${join(out, 'scene.png')}: 0 objects\n${join(out, 'scene-2.png')}: 0 objects\n`);
  assert.ok(existsSync(join(out, 'scene-2.png')));

  const before = readFileSync(image);
  const over = gnbench('predict', run, image, '--out', scratch);
  assert.equal(over.status, 2, over.stderr);
  assert.match(over.stderr, /--out: the picture would replace .*scene\.png, among the images themselves/);
  assert.deepEqual(readFileSync(image), before);
});

test('what is no run, no detector, no image or no score is said before anything is computed', () => {
  const run = join(scratch, 'classifier');
  assert.equal(gnbench('predict', run, 'a.png', '--out', scratch).status, 2);
  const fails = (args: string[], message: RegExp) => {
    const { status, stderr } = gnbench('predict', ...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  };
  fails([scratch, 'a.png', '--out', scratch], /the folder holds no run/);
  fails([join(scratch, 'run'), 'nowhere.png', '--out', scratch], /nowhere\.png: the image is not there/);
  fails([join(scratch, 'run'), join(scratch, 'small.yaml'), '--out', scratch], /the image cannot be decoded/);
  fails(
    [join(scratch, 'run'), 'a.png', '--out', scratch, '--min-score', 'high'],
    /--min-score: expected a score/,
  );
  const folder = mkdtempSync(join(scratch, 'other-'));
  writeFileSync(join(folder, 'config.yaml'), 'model: resnet20\nnormalizer: group\ndata: synthetic\n');
  fails([folder, 'a.png', '--out', scratch], /the run is of resnet20, which finds no objects/);
});
