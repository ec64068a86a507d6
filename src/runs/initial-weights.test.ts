import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseConfig } from '../config/load.js';
import { UserError } from '../errors.js';
import { planRun } from '../models/plan.js';
import { initialize } from '../nn/initialize.js';
import { run } from '../training/run.js';
import { writeSafetensors } from '../weights/safetensors.js';
import { initialWeights, requireWeights } from './initial-weights.js';
import { readRunWeights } from './run-weights.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-init-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const place = (name: string) => join(scratch, name);

const text = `
model: resnet20
normalizer: batch
data: { name: synthetic, classes: [0, 1, 2], trainSubset: 12, valSubset: 12 }
batch: { size: 4 }
epochs: 2
evaluate: { batchSize: 12 }
engine: { intraOpThreads: 1, interOpThreads: 1 }
`;
const parsed = (...overrides: string[]) => parseConfig(text, { file: 'init.yaml', overrides });
const from = (file: string, head = 'keep') => `init=${JSON.stringify({ weights: file, head })}`;

const options = {
  mode: 'resume' as 'new' | 'resume',
  eager: false,
  deterministic: false,
  tensorboard: false,
  quiet: true,
  debug: false,
  stopRequested: () => undefined as { signal: 'SIGTERM'; exitCode: 143 } | undefined,
  note: () => {},
};
/** A run in a folder of its own, ended at the `stopAt`-th step. */
function live(out: string, overrides: string[], stopAt = Number.POSITIVE_INFINITY) {
  let asked = 0;
  const stopRequested = () =>
    ++asked >= stopAt ? { signal: 'SIGTERM' as const, exitCode: 143 as const } : undefined;
  return run(parsed(...overrides), { ...options, out, stopRequested });
}
const environment = (out: string) => JSON.parse(fs.readFileSync(join(out, 'environment.json'), 'utf8'));
const weightsOf = (out: string) => readRunWeights(out, assert.fail);

const pretrained = place('pretrained');
before(() => live(pretrained, []));

const variablesOf = (...overrides: string[]) => planRun(parsed(...overrides)).model.variables;

describe('the first weights of a run', () => {
  test('are those of another run, whatever normalizer of BN’s kind goes on from them', () => {
    const { values, sha256 } = weightsOf(pretrained);
    for (const normalizer of ['batch', 'frozen-batch', 'sync-batch']) {
      const changes = [`normalizer=${normalizer}`, from(pretrained)];
      const initial = initialWeights(parsed(...changes), variablesOf(...changes), () => {});
      assert.deepEqual(initial.values, values);
      assert.equal(initial.sha256, sha256);
    }
  });

  test('with a new head differ from them in the head alone, which the seed draws', () => {
    const { values } = weightsOf(pretrained);
    const changes = ['data.classes=[3, 4, 5, 6]', from(pretrained, 'new')];
    const variables = variablesOf(...changes);
    const drawn = initialize(variables, 1);
    const initial = initialWeights(parsed(...changes), variables, () => {});
    assert.deepEqual(initial.values['head.weight'].shape, [64, 4]);
    for (const { name } of variables) {
      const expected = name.startsWith('head.') ? drawn : values;
      assert.deepEqual(initial.values[name].data, expected[name].data, name);
    }
    const other = initialWeights(parsed(...changes, 'seed=2'), variables, () => {}).values;
    assert.notDeepEqual(other['head.weight'].data, initial.values['head.weight'].data);
    assert.deepEqual(other['stem.conv.weight'].data, initial.values['stem.conv.weight'].data);
  });

  test('are drawn where none are named', () => {
    assert.deepEqual(
      initialWeights(parsed('init=scratch'), variablesOf(), () => {}),
      initialWeights(parsed(), variablesOf(), () => {}),
    );
  });
});

describe('a run with weights', () => {
  test('writes down which they were, stopped and resumed too, and ends as if undisturbed', async () => {
    const changes = ['normalizer=frozen-batch', 'data.classes=[3, 4, 5, 6]', from(pretrained, 'new')];
    const [whole, cut] = [place('whole'), place('cut')];
    assert.equal((await live(whole, changes)).status, 'completed');
    const { sha256 } = weightsOf(pretrained);
    assert.equal(environment(whole).initialWeights, sha256);
    assert.equal((await live(cut, changes, 2)).status, 'interrupted');
    // The checkpoint has all: the weights may be gone by now.
    fs.renameSync(pretrained, place('elsewhere'));
    try {
      assert.equal((await live(cut, changes)).status, 'completed');
    } finally {
      fs.renameSync(place('elsewhere'), pretrained);
    }
    assert.equal(environment(cut).initialWeights, sha256);
    assert.equal(weightsOf(cut).sha256, weightsOf(whole).sha256);
  });

  test('that begins again takes the same ones, or none', async () => {
    const file = place('weights.safetensors');
    const { values } = weightsOf(pretrained);
    writeSafetensors(file, values);
    const out = place('again');
    await live(out, [from(file)], 1);
    fs.rmSync(join(out, 'checkpoints'), { recursive: true });
    fs.rmSync(file);
    writeSafetensors(file, initialize(variablesOf(), 5));
    await assert.rejects(live(out, [from(file)]), /no longer the weights that the run began with/);
    fs.rmSync(file);
    writeSafetensors(file, values);
    assert.equal((await live(out, [from(file)])).status, 'completed');
  });

  test('cannot begin with those of a run that is not through', async () => {
    const [half, out] = [place('half'), place('from-half')];
    await live(half, [], 2);
    await assert.rejects(live(out, [from(half)]), (error: UserError) => {
      assert.match(error.message, /is not complete, at step 2 of 6/);
      assert.match(error.fix ?? '', /--resume; or .* gnbench export/);
      return error.exitCode === 2;
    });
    assert.ok(!fs.existsSync(out));
  });

  test('cannot begin without them, or with others than the model’s: then nothing is written', async () => {
    const out = place('nothing');
    for (const [changes, message] of [
      [[from(place('missing'))], /no weights file/],
      [['model=resnet32', from(pretrained)], /missing: stage1\.block3\.conv1\.weight/],
      [['normalizer=group', from(pretrained)], /extra: .*"stem\.norm\.mean"/],
      [['data.classes=[3, 4]', from(pretrained)], /head\.bias \[3\] instead of \[2\]/],
    ] as const) {
      await assert.rejects(
        live(out, [...changes]),
        (error: UserError) =>
          error instanceof UserError && error.exitCode === 2 && message.test(error.message),
      );
      assert.ok(!fs.existsSync(out));
    }
  });
});

test('weights that an experiment makes are told to be made by it', () => {
  const before = process.cwd();
  process.chdir(scratch);
  try {
    fs.mkdirSync('experiments');
    fs.writeFileSync(join('experiments', 'first.yaml'), '');
    const message = (file: string) => {
      try {
        requireWeights(file);
        return undefined;
      } catch (error) {
        return `${(error as UserError).message}; ${(error as UserError).fix}`;
      }
    };
    const run = join('results', 'first', 'bn-0123456789', '1');
    assert.match(message(run)!, /^no weights file found; .*gnbench sweep experiments.first\.yaml$/);
    assert.match(message(join('results', 'second', 'a', '1'))!, /safetensors file/);
    fs.mkdirSync(run, { recursive: true });
    fs.writeFileSync(join(run, 'config.yaml'), '');
    assert.match(message(run)!, /^the run has no checkpoint here; .* moved away$/);
    fs.mkdirSync(join(run, 'checkpoints'));
    assert.match(message(run)!, /^the run that the weights are of is not complete/);
  } finally {
    process.chdir(before);
  }
});
