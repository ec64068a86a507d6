/** Runs whose images, or whose classes, are no longer those that it began with. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseConfig } from '../config/load.js';
import { imageFile } from '../datasets/testing/image-file.js';
import { UserError } from '../errors.js';
import { readRunFacts } from '../runs/environment.js';
import { readRunWeights } from '../runs/run-weights.js';
import { readSummary } from '../runs/summary.js';
import { evaluateWeights } from './evaluate-run.js';
import { run } from './run.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-changed-data-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** train/ and val/ with four images of each class. */
async function images(name: string, classes: readonly string[]): Promise<string> {
  const root = join(scratch, name);
  for (const [part, from] of [
    ['train', 0],
    ['val', 100],
  ] as const) {
    for (const [label, folder] of classes.entries()) {
      fs.mkdirSync(join(root, part, folder), { recursive: true });
      for (let index = 0; index < 4; index++) {
        const file = join(root, part, folder, `${index}.png`);
        await imageFile(from + label * 10 + index, 16, 16)
          .png({ compressionLevel: 0 })
          .toFile(file);
      }
    }
  }
  return root;
}

const configOf = (root: string) =>
  parseConfig(
    `
model: resnet20
normalizer: gn
data: { name: image-folder, train: ${root}/train, val: ${root}/val, resolution: 16, decodedCache: 0 }
batch: { size: 4 }
epochs: 2
engine: { intraOpThreads: 1, interOpThreads: 1 }
`,
    { file: 'a.yaml' },
  );

const options = (out: string, steps = 0) => {
  let asked = 0;
  const stop = { signal: 'SIGTERM' as const, exitCode: 143 as const };
  return {
    out,
    mode: 'resume' as const,
    eager: false,
    tensorboard: false,
    deterministic: false,
    quiet: true,
    debug: false,
    note: () => {},
    stopRequested: () => (++asked > steps ? stop : undefined),
  };
};

const refused = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UserError, String(error));
  assert.match(error.message, message);
  return true;
};

let pets: string;
const begun = join(scratch, 'results', 'cell', '1');
before(async () => {
  pets = await images('pets', ['cat', 'dog']);
  assert.equal((await run(configOf(pets), options(begun, 1))).status, 'interrupted');
});

test('a run is not resumed on images that changed, in number or in content; its record of them stays', async () => {
  const environment = join(begun, 'environment.json');
  const recorded = fs.readFileSync(environment, 'utf8');
  const resume = () => run(configOf(pets), options(begun));
  const more = join(pets, 'train', 'cat', '9.png');
  fs.copyFileSync(join(pets, 'train', 'cat', '0.png'), more);
  await assert.rejects(
    resume(),
    refused(/^the data are no longer those that the run began with: train \(names\), train \(contents\)$/),
  );
  fs.rmSync(more);

  const [one, other] = ['cat', 'dog'].map((name) => join(pets, 'train', name, '0.png'));
  const swap = () => {
    fs.renameSync(one, join(pets, 'x'));
    fs.renameSync(other, one);
    fs.renameSync(join(pets, 'x'), other);
  };
  assert.equal(fs.statSync(one).size, fs.statSync(other).size, 'no size tells');
  swap();
  await assert.rejects(resume(), refused(/began with: train \(contents\)$/));
  assert.equal(fs.readFileSync(environment, 'utf8'), recorded);
  swap();
  assert.equal((await resume()).status, 'interrupted');
});

test('another run of the same experiment is refused on other images, unless its configuration asks for them', async () => {
  const results = join(scratch, 'results');
  const second = join(results, 'cell', '2');
  const seed2 = { ...configOf(pets), seed: 2 };
  const image = join(pets, 'val', 'dog', '0.png');
  const content = fs.readFileSync(image);
  fs.copyFileSync(join(pets, 'val', 'dog', '1.png'), image);
  await assert.rejects(
    run(seed2, { ...options(second), sameDataIn: results }),
    refused(/not those that cell\/1 of the same experiment was trained on: validation \(contents\)$/),
  );
  assert.ok(!fs.existsSync(second) || fs.readdirSync(second).length === 0);
  fs.writeFileSync(image, content);
  assert.equal((await run(seed2, { ...options(second), sameDataIn: results })).status, 'interrupted');
  const others = configOf(await images('others', ['cat', 'dog']));
  const third = await run(others, { ...options(join(results, 'other', '1')), sameDataIn: results });
  assert.equal(third.status, 'interrupted');
});

test('the classes stand in the summary and with the weights, and other classes are not evaluated', async () => {
  assert.deepEqual(readSummary(join(begun, 'summary.json')).dataset.classNames, ['cat', 'dog']);
  assert.deepEqual(JSON.parse(readRunWeights(begun, () => {}).metadata.classNames), ['cat', 'dog']);
  assert.ok(readRunFacts(join(begun, 'environment.json'))?.data?.['train (contents)']);
  const strangers = configOf(await images('strangers', ['ant', 'zebra']));
  const evaluate = { quiet: true, debug: false, stopRequested: () => false, note: () => {} };
  await assert.rejects(
    evaluateWeights(strangers, begun, evaluate),
    refused(/^the weights tell cat, dog apart, and the data has ant, zebra$/),
  );
  assert.ok(await evaluateWeights(configOf(pets), begun, evaluate));
});
