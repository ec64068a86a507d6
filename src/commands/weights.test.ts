/** `gnbench export`, `import` and `eval` as a user calls them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-weights-commands-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const inScratch = (name: string) => join(scratch, name);

/** Calls gnbench in a process of its own. */
function gnbench(args: string[], environment: Record<string, string> = {}) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, ...environment };
    execFile(process.execPath, ['bin/gnbench.js', ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

/** An engine is not to be had: what is refused now is refused before one is loaded. */
const withoutEngine = { GNBENCH_CACHE: inScratch('no-cache'), PIP_NO_INDEX: '1' };

const config = (name: string, lines: string[]): string => {
  const file = inScratch(`${name}.yaml`);
  const data = 'data: { name: synthetic, trainSubset: 16, valSubset: 20 }';
  const rest = 'batch: { size: 4 }\nepochs: 2\nengine: { intraOpThreads: 1, interOpThreads: 1 }';
  fs.writeFileSync(file, [...lines, data, rest, ''].join('\n'));
  return file;
};

const done = (called: { code: number; stdout: string; stderr: string }) => {
  assert.equal(called.code, 0, called.stderr);
  return called.stdout;
};

describe('a run with BN and averaged weights', () => {
  const file = config('averaged', ['model: resnet18', 'normalizer: bn', 'optimizer: { emaDecay: 0.5 }']);
  const run = inScratch('averaged');
  let valError: number;
  before(async () => {
    const summary = JSON.parse(done(await gnbench(['run', file, '--out', run, '--json', '--quiet'])));
    valError = summary.valError.final;
  });

  const evaluate = async (weights: string, ...flags: string[]) =>
    JSON.parse(done(await gnbench(['eval', file, '--weights', weights, '--json', '--quiet', ...flags])));

  test('is evaluated, from its folder and exported, as it evaluated itself', async () => {
    const ofRun = await evaluate(run);
    assert.equal(ofRun.top1Error, valError);
    assert.deepEqual([ofRun.images, ofRun.dataset.name], [20, 'synthetic']);
    assert.ok(ofRun.top5Error <= ofRun.top1Error);

    const weights = join(run, 'weights.safetensors');
    assert.equal(done(await gnbench(['export', run])), `${weights}\n`);
    const { metadata, tensors } = readSafetensors(weights);
    assert.deepEqual(
      [metadata.step, metadata.epoch, metadata.classes, metadata.weights, metadata.data],
      ['8', '2', '10', 'running averages', 'synthetic'],
    );
    assert.equal(Number(metadata.valError), valError);
    assert.ok(!Object.keys(tensors).some((name) => /velocity|average|sum$/.test(name)));
    const exported = await evaluate(weights, '--batch', '7');
    assert.deepEqual([exported.top1Error, exported.top5Error], [ofRun.top1Error, ofRun.top5Error]);
    assert.equal(exported.loss, ofRun.loss, 'to the last bit, whatever the batch');
  });

  test('goes out to torchvision and comes back, bit for bit', async () => {
    const [theirs, back] = [inScratch('theirs.safetensors'), inScratch('back.safetensors')];
    done(await gnbench(['export', run, '--to', 'torchvision', '--out', theirs]));
    const { tensors, metadata } = readSafetensors(theirs);
    assert.deepEqual(tensors['conv1.weight'].shape, [64, 3, 7, 7]);
    assert.deepEqual([...tensors['layer1.0.bn1.num_batches_tracked'].data], [8]);
    assert.equal(metadata.format, 'pt');
    done(await gnbench(['import', theirs, '--from', 'torchvision', '--out', back]));
    const own = readSafetensors(join(run, 'weights.safetensors'));
    assert.deepEqual(readSafetensors(back).tensors, own.tensors);
    assert.equal(readSafetensors(back).metadata.source, 'torchvision resnet18');
  });

  test('prints for people', async () => {
    const { stdout, stderr } = await gnbench(['eval', file, '--weights', run]);
    assert.match(
      stdout,
      /^averaged with the weights of .*averaged \(sha256 [0-9a-f]{12}…\)\nloss {9}\d+\.\d{4}\ntop-1 error {2}[\d.]+ %\ntop-5 error {2}[\d.]+ %\nimages {7}20 in [\d.]+ s, \d+ images\/s\n$/,
    );
    assert.match(stderr, /^evaluating/m);
  });

  test('no file is overwritten without --force', async () => {
    const out = inScratch('there.safetensors');
    fs.writeFileSync(out, 'precious');
    for (const command of [
      ['export', run],
      ['import', inScratch('theirs.safetensors'), '--from', 'timm'],
    ]) {
      const refused = await gnbench([...command, '--out', out]);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /exists already\n {2}replace it with --force/);
      assert.equal(fs.readFileSync(out, 'utf8'), 'precious');
    }
    done(await gnbench(['export', run, '--out', out, '--force']));
    assert.ok(readSafetensors(out).tensors['head.weight']);
  });

  test('what the names do not show is said: other groups, another normalizer', async () => {
    const set = ['--set', 'normalizer.epsilon=1e-3'];
    const { code, stderr } = await gnbench(['eval', file, '--weights', run, ...set]);
    assert.equal(code, 0);
    assert.match(
      stderr,
      /warning: the weights are of a network with normalizer\.epsilon 0\.00001, here 0\.001/,
    );
  });
});

describe('refused, with exit code 2 and before the engine is loaded', () => {
  const file = config('small', ['model: resnet20', 'normalizer: gn']);
  const refused = async (args: string[], ...expected: RegExp[]) => {
    const { code, stdout, stderr } = await gnbench(args, withoutEngine);
    assert.deepEqual([code, stdout], [2, ''], stderr);
    for (const pattern of expected) assert.match(stderr, pattern);
  };
  const tensor = (...shape: number[]) => ({
    shape,
    data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
  });

  test('weights that are not the model’s, a file that is none, a folder without a run', async () => {
    const weights = inScratch('other.safetensors');
    writeSafetensors(weights, { 'conv1.weight': tensor(64, 3, 7, 7), 'fc.bias': tensor(1000) });
    const evaluate = ['eval', file, '--quiet', '--weights'];
    await refused(
      [...evaluate, weights],
      /missing: stem\.conv\.weight, .* and \d+ more; extra: "conv1\.weight", "fc\.bias"/,
      /gnbench import/,
    );
    const text = inScratch('text.safetensors');
    fs.writeFileSync(text, 'no tensors at all');
    await refused([...evaluate, text], /text\.safetensors: not a sound safetensors file/);
    await refused([...evaluate, inScratch('nowhere')], /no such file or folder/);
    fs.mkdirSync(inScratch('void'));
    await refused([...evaluate, inScratch('void')], /the folder holds no run/);
    await refused(['eval', file], /a configuration and weights are needed/);
    await refused(['export', inScratch('void')], /the folder holds no run/);
    await refused(['export', weights, '--to', 'timm'], /has no model metadata/);
  });

  test('a network that the library would compute otherwise', async () => {
    const [weights, out] = [inScratch('other.safetensors'), inScratch('other-out.safetensors')];
    const to = async (normalizer: object, library: string, expected: RegExp) => {
      const metadata = {
        model: '{"name":"resnet50"}',
        normalizer: JSON.stringify(normalizer),
        classes: '10',
      };
      writeSafetensors(weights, { 'head.bias': tensor(10) }, { metadata, replace: true });
      await refused(['export', weights, '--to', library, '--out', out], expected, /--to gnbench/);
    };
    await to({ name: 'batch', epsilon: 0.001 }, 'torchvision', /an ε of 1e-5/);
    await to(
      { name: 'group', epsilon: 1e-5, groups: 4 },
      'timm',
      /timm's resnet50 has BN, or GN with 32 groups/,
    );
    await to({ name: 'group', channelsPerGroup: 2 }, 'timm', /32 groups/);
    await to({ name: 'layer', epsilon: 1e-5 }, 'timm', /32 groups/);
    await to({ name: 'batch', weightStandardization: true }, 'timm', /no weight standardization/);
    assert.ok(!fs.existsSync(out));
  });

  test('a model that is not published, tensors of none, a library that is not known', async () => {
    const weights = inScratch('strange.safetensors');
    writeSafetensors(weights, { 'fc.bias': tensor(10), more: tensor(1) });
    const take = ['import', weights, '--from', 'timm'];
    await refused(take, /fit none of the models of timm/, /resnet50_gn/);
    await refused([...take, '--model', 'resnet5'], /did you mean resnet50\?/, /one of resnet18, /);
    await refused([...take, '--model', 'resnet50_gn'], /missing: conv1\.weight, /, /extra: "more"/);
    await refused(['import', weights, '--from', 'keras'], /torchvision, timm/);
  });
});
