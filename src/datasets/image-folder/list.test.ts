import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import type { UserError } from '../../errors.js';
import { chosenClasses } from '../classes.js';
import { classesOf, listImages, sameClasses } from './list.js';

const folder = await mkdtemp(join(tmpdir(), 'gnbench-list-'));
after(() => rm(folder, { recursive: true, force: true }));

/** Empty files at these paths. */
async function files(name: string, ...paths: string[]): Promise<string> {
  for (const path of paths) {
    await mkdir(join(folder, name, dirname(path)), { recursive: true });
    await writeFile(join(folder, name, path), '');
  }
  return join(folder, name);
}

test('what is no image of a class is passed over, and counted by kind', async () => {
  const root = await files(
    'mixed',
    'cat/1.jpg',
    'cat/._1.jpg',
    'cat/2.webp',
    'cat/3.bmp',
    'cat/4.TIF',
    'cat/more/5.jpg',
    'cat/more/again/6.png',
    'dog/1.png',
    'dog/2.webp',
    '.thumbnails/1.jpg',
    '__MACOSX/cat/._1.jpg',
    '.DS_Store',
    'list.txt',
    '7.jpg',
  );
  await symlink('nowhere', join(root, 'ant'));
  const { classes, paths, labels, passedOver } = listImages(root, 'data.train');
  assert.deepEqual(classes, ['cat', 'dog'], 'hidden folders are no classes');
  assert.deepEqual(paths, [join('cat', '1.jpg'), join('dog', '1.png')]);
  assert.deepEqual([...labels], [0, 1]);
  const counts = passedOver.text.split(', ').map((kind) => kind.replace(/ \(.*/, ''));
  assert.deepEqual(counts.sort(), [
    '1 × .bmp file',
    '1 × .tif file',
    '1 × .txt file',
    '1 × image beside the class folders',
    '1 × link to nowhere',
    '2 × .webp file',
    '2 × hidden file',
    '2 × hidden folder',
    '2 × image in a folder within a class',
  ]);
});

test('a class without an image of its own says what lies there instead', async () => {
  const root = await files('deeper', 'cat/1.jpg', 'dog/poodle/1.jpg');
  assert.throws(
    () => listImages(root, 'data.train'),
    ({ message, fix }: UserError) =>
      /no image: dog/.test(message) && /1 × image in a folder within a class \(dog/.test(fix!),
  );
});

test('a link to nowhere with the name of an image is an image, which decoding finds broken', async () => {
  const root = await files('linked', 'cat/1.jpg', 'dog/1.jpg');
  await symlink('gone.jpg', join(root, 'dog', '2.jpg'));
  assert.deepEqual(listImages(root, 'data.train').paths.at(-1), join('dog', '2.jpg'));
});

test('a class is the same in composed and in decomposed Unicode', async () => {
  const [composed, decomposed] = ['café'.normalize('NFC'), 'café'.normalize('NFD')];
  const train = listImages(await files('nfc', `${composed}/1.jpg`, 'cafz/1.jpg'), 'data.train');
  const val = listImages(await files('nfd', `${decomposed}/1.jpg`, 'cafz/1.jpg'), 'data.val');
  sameClasses(train, val);
  assert.deepEqual(val.classes, train.classes, 'in the same order: the labels are the same');
  assert.deepEqual(chosenClasses([decomposed, 'cafz'], classesOf(train)), [1, 0]);
  const both = await files('both', `${composed}/1.jpg`, `${decomposed}/1.jpg`);
  assert.throws(() => listImages(both, 'data.train'), /two class folders are called/);
});
