import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { cifar100 } from '../datasets/checksums.js';
import { UserError } from '../errors.js';
import { dataFetch, dataVerify } from './data.js';
import { dataShow } from './data-show.js';

const parent = await mkdtemp(join(tmpdir(), 'gnbench-data-'));
const folder = join(parent, cifar100.folder);
after(() => rm(parent, { recursive: true, force: true }));

/** The output of a command on stdout, and its exit code. */
async function printed(command: () => Promise<number>) {
  const written: string[] = [];
  const { write } = process.stdout;
  process.stdout.write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  try {
    return { code: await command(), text: written.join('') };
  } finally {
    process.stdout.write = write;
  }
}

test('verify: every file with its checksum; sound but not published files are usable, broken ones are not', async () => {
  await mkdir(folder);
  // All zero: sound records, each of class 0.
  for (const [file, count] of Object.entries(cifar100.records)) {
    await writeFile(join(folder, file), '');
    await truncate(join(folder, file), count * 3074);
  }
  const sound = await printed(() => dataVerify('cifar100', { data: parent, json: true }));
  assert.equal(sound.code, 0);
  const found = JSON.parse(sound.text);
  assert.deepEqual(
    [found.name, found.folder, found.sound, found.official, found.note],
    ['cifar100', folder, true, false, 'CIFAR-100 (files differ from the published ones)'],
  );
  assert.match(found.files[0].sha256, /^[0-9a-f]{64}$/);
  const text = await printed(() => dataVerify('cifar100', { data: parent }));
  assert.match(text.text, /train\.bin +[0-9a-f]{64} sound, but not the published file\n/);
  assert.match(text.text, /usable as: CIFAR-100 \(files differ/);

  await truncate(join(folder, 'test.bin'), 1000);
  const broken = await printed(() => dataVerify('cifar100', { data: parent, json: true }));
  assert.equal(broken.code, 1);
  assert.deepEqual(JSON.parse(broken.text).files[1], {
    file: 'test.bin',
    official: false,
    problem: 'truncated: expected 30,740,000 bytes, found 1,000',
  });
  assert.match((await printed(() => dataVerify('cifar100', { data: parent }))).text, /cannot be used/);
});

test('fetch prints where it is, and fetches nothing that is there', async () => {
  const { code, text } = await printed(() => dataFetch('cifar100', { data: parent, quiet: true }));
  assert.deepEqual([code, text], [0, `${folder}\n`]);
});

test('a name that is no data set, and a data set that is nowhere', async () => {
  await assert.rejects(dataFetch('cifar'), (error: UserError) => /one of cifar10/.test(error.fix ?? ''));
  const { GNBENCH_CACHE, GNBENCH_DATA } = process.env;
  process.env.GNBENCH_CACHE = join(parent, 'cache');
  delete process.env.GNBENCH_DATA;
  try {
    await assert.rejects(
      dataVerify('cifar10', { data: parent }),
      (error: UserError) => error instanceof UserError && /gnbench data fetch cifar10/.test(error.fix ?? ''),
    );
  } finally {
    delete process.env.GNBENCH_CACHE;
    Object.assign(process.env, GNBENCH_CACHE && { GNBENCH_CACHE }, GNBENCH_DATA && { GNBENCH_DATA });
  }
});

test('data that is drawn needs neither', async () => {
  assert.equal(await dataFetch('synthetic', { quiet: true }), 0);
  assert.equal(await dataVerify('synthetic'), 0);
});

test('data that is no download: what is drawn is sound, a folder is the user’s own', async () => {
  const drawn = await printed(() => dataVerify('synthetic', { json: true }));
  assert.deepEqual([drawn.code, JSON.parse(drawn.text).sound], [0, true]);
  for (const command of [dataFetch, dataVerify])
    await assert.rejects(command('image-folder'), /whatever folders data\.train and data\.val name/);
});

test('data verify coco says what there is and what cannot be used; half of the names is no set', async () => {
  const images = join(parent, 'coco');
  await mkdir(images);
  const image = { create: { width: 8, height: 6, channels: 3 as const, background: '#123' } };
  await sharp(image).png().toFile(join(images, 'a.png'));
  const object = { image_id: 1, category_id: 4, iscrowd: 0, area: 4, segmentation: [[1, 1, 3, 1, 3, 3]] };
  await writeFile(
    join(images, 'instances.json'),
    JSON.stringify({
      categories: [{ id: 4, name: 'cat' }],
      images: [1, 2].map((id) => ({ id, file_name: id === 1 ? 'a.png' : 'b.png', width: 8, height: 6 })),
      annotations: [
        { ...object, id: 1, bbox: [1, 1, 2, 2] },
        { ...object, id: 2, bbox: [1, 1, 0, 2] },
        { ...object, id: 3, bbox: [1, 1, -1, 2] },
      ],
    }),
  );
  const annotations = join(images, 'instances.json');
  const { code, text } = await printed(() => dataVerify('coco', { annotations, images, json: true }));
  assert.equal(code, 1);
  const [file] = JSON.parse(text).files;
  assert.deepEqual(
    [file.images, file.unusableImages, file.objects, file.classes, file.width],
    [1, 1, 1, 1, { least: 8, most: 8 }],
  );
  assert.match(file.withoutArea.join(), /annotation 2 \(image 1, a\.png\): its box \[1,1,0,2\] has no area/);
  assert.match(
    file.skipped.join(),
    /^annotation 3 \(image 1, a\.png\): its box \[1,1,-1,2\] has a side below 0$/,
  );
  await assert.rejects(dataVerify('coco', { images }), (error: UserError) => {
    assert.equal(error.place, '--images');
    return error instanceof UserError;
  });
});

test('data show draws a training example as a step sees it, mirrored in some epochs, the same every time', async () => {
  const config = join(parent, 'shapes.yaml');
  const data = '{ name: shapes, side: 64, trainImages: 2, valImages: 1 }';
  await writeFile(config, `model: mask-rcnn\nnormalizer: group\ndata: ${data}\n`);
  const shown = async (epoch?: string) => {
    const out = join(parent, 'example.png');
    const { code, text } = await printed(() => dataShow({ config, image: '1', epoch, out }));
    assert.equal(code, 0);
    assert.match(text, /example 1, 64×64 on a canvas of 64×64, \d objects/);
    return sharp(out).raw().toBuffer();
  };
  const plain = await shown();
  const epochs: Buffer[] = [];
  for (const epoch of ['1', '2', '3', '4', '5', '6', '6']) epochs.push(await shown(epoch));
  const mirrored = await sharp(plain, { raw: { width: 64, height: 64, channels: 3 } })
    .flop()
    .raw()
    .toBuffer();
  const changed = epochs.map((pixels) => !pixels.equals(plain));
  assert.ok(epochs.every((pixels, epoch) => pixels.equals(changed[epoch] ? mirrored : plain)));
  assert.ok(changed.includes(true) && changed.includes(false));
  assert.equal(changed[5], changed[6]);
  for (const [name, message] of [
    ['nowhere/x.png', /no such file or folder/],
    ['x.bmp', /cannot be written as "x\.bmp"/],
  ] as const) {
    await assert.rejects(dataShow({ config, image: '1', out: join(parent, name) }), (error: UserError) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  const wrong = { config, image: '2', out: join(parent, 'none.png') };
  await assert.rejects(dataShow(wrong), (error: UserError) => error.place === '--image');
  await assert.rejects(
    dataShow({ ...wrong, config: undefined }),
    /annotations and images, or a configuration/,
  );
});
