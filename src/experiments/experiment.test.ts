import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { loadConfig } from '../config/load.js';
import { UserError } from '../errors.js';
import { readStatus } from '../sweep/status.js';
import { byStage, type Experiment, loadExperiment } from './experiment.js';
import { planCell } from './plan.js';
import { parseExperiment } from './read.js';
import { snapshot } from './snapshot.js';

const folder = mkdtempSync(join(tmpdir(), 'gnbench-experiment-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'mine.yaml');

function load(text: string, options: Parameters<typeof loadExperiment>[1] = {}): Promise<Experiment> {
  writeFileSync(file, text);
  return loadExperiment(file, { check: true, ...options });
}

const small = `title: mine
base:
  model: resnet20
  data: synthetic
axes:
  normalizer: [batch, { name: group, groups: 8 }]
  batch.size: [32, 2]
seeds: [1, 2]
`;

/** Loads a broken experiment; the error's place without the folder, and its words. */
async function wrong(text: string, options: Parameters<typeof loadExperiment>[1] = {}): Promise<string> {
  try {
    await load(text, options);
  } catch (error) {
    assert.ok(error instanceof UserError, String((error as Error).stack));
    assert.equal(error.exitCode, 2);
    return `${error.place?.replace(`${folder}/`, '')}: ${error.message}${error.fix ? ` (${error.fix})` : ''}`;
  }
  assert.fail('it was accepted');
}

test('spans a grid of cells, each with its values in its config', async () => {
  const experiment = await load(small);
  assert.deepEqual(
    experiment.cells.map(({ label, config }) => [label, config.normalizer.name, config.batch.size]),
    [
      ['BN, batch 32', 'batch', 32],
      ['BN, batch 2', 'batch', 2],
      ['GN, batch 32', 'group', 32],
      ['GN, batch 2', 'group', 2],
    ],
  );
  assert.equal(experiment.name, 'mine');
  assert.match(experiment.cells[3].key, /^gn-g8-b2-[0-9a-f]{10}$/);
  const [run] = experiment.runs;
  assert.equal(run.folder, join('results', 'mine', experiment.cells[0].key, '1'));
});

test('a cell’s id follows from what affects its result, and from nothing else', async () => {
  const ids = (experiment: Experiment) => experiment.cells.map(({ id }) => id);
  const plain = ids(await load(small));
  const spelledOut = small.replace(
    'data: synthetic',
    'data: { name: synthetic, augment: true }\n  epochs: 100',
  );
  assert.deepEqual(ids(await load(spelledOut)), plain);
  const elsewhere = [
    'checkpoint.keep=5',
    'engine.intraOpThreads=1',
    'log.everySteps=10',
    'evaluate.batchSize=100',
  ];
  assert.deepEqual(ids(await load(small, { set: elsewhere })), plain);
  assert.deepEqual(ids(await load(small.replace('[1, 2]', '[7]').replace('mine', 'yours'))), plain);
  const changed = ids(await load(small, { set: ['epochs=99'] }));
  assert.ok(changed.every((id) => !plain.includes(id)));
  assert.equal(new Set(plain).size, 4);
});

test('every shipped experiment can be had, and keeps its cells’ ids', async () => {
  const pinned: Record<string, string[]> = JSON.parse(
    readFileSync(new URL('../../src/experiments/fixtures/cell-ids.json', import.meta.url), 'utf8'),
  );
  const found: Record<string, string[]> = {};
  for (const name of readdirSync('experiments').filter((entry) => entry.endsWith('.yaml'))) {
    const { cells } = await loadExperiment(join('experiments', name), { check: true });
    found[name] = cells.map(({ key }) => key);
  }
  for (const [name, keys] of Object.entries(pinned)) {
    assert.deepEqual(found[name], keys, `the finished runs of ${name} would be done again`);
  }
  assert.deepEqual(Object.keys(found).sort(), Object.keys(pinned).sort(), 'add its ids to the fixture');
});

test('the reproduction’s runs go in the order of its protocol', async () => {
  const parts = readdirSync('experiments').filter((entry) => entry.startsWith('reproduction-'));
  assert.equal(parts.length, 6);
  const experiments = await Promise.all(parts.map((part) => loadExperiment(join('experiments', part))));
  const partOf = new Map(
    experiments.flatMap(({ name, runs }) => runs.map((run) => [run, name.split('-')[1]])),
  );
  const runs = byStage(experiments.flatMap((experiment) => experiment.runs));
  const told = runs.map((run) => {
    const { normalizer, batch } = run.cell.config;
    return `${partOf.get(run)} ${normalizer.name} ${batch.size} seed ${run.seed}`;
  });
  assert.deepEqual(told.slice(0, 22), [
    ...[32, 2, 4, 8, 16].flatMap((size) => [`a batch ${size} seed 1`, `a group ${size} seed 1`]),
    ...[32, 2].flatMap((size) => [`b batch ${size} seed 1`, `b group ${size} seed 1`]),
    ...['layer', 'instance', 'none'].map((name) => `c ${name} 32 seed 1`),
    'd1 batch 2 seed 1',
    ...[32, 2].flatMap((size) => [`d2 batch ${size} seed 1`, `d2 group ${size} seed 1`]),
  ]);
  assert.deepEqual(told.slice(22, 30), [
    ...[2, 3].flatMap((seed) =>
      [32, 2].flatMap((size) => [`a batch ${size} seed ${seed}`, `a group ${size} seed ${seed}`]),
    ),
  ]);
  assert.equal(told[30], 'e batch-renorm 4 seed 1');
});

test('the reproduction has the protocol’s settings', async () => {
  const a = await loadExperiment('experiments/reproduction-a-one-worker.yaml');
  for (const { config } of a.cells) {
    const { rate, totalSteps } = planCell(config);
    assert.equal(rate, (0.1 * config.batch.size) / 32);
    assert.equal(totalSteps, 30 * Math.floor(50_000 / config.batch.size));
    assert.deepEqual(config.learningRate.dropAt, [10, 20, 27]);
    assert.deepEqual(config.model, { name: 'resnet20', shortcut: 'identity' });
    assert.deepEqual(config.data, { name: 'cifar10', validation: 'test', augment: true });
    assert.equal(config.precision, 'float32');
    assert.ok(
      config.normalizer.name === 'batch' ||
        (config.normalizer.name === 'group' && config.normalizer.groups === 8),
    );
  }
  const b = await loadExperiment('experiments/reproduction-b-paper-semantics.yaml');
  for (const { config } of b.cells) {
    assert.equal(config.batch.workers, 8);
    assert.equal(planCell(config).rate, (0.1 * 8 * config.batch.size) / 256);
  }
  const [d1] = (await loadExperiment('experiments/reproduction-d1-precise-statistics.yaml')).cells;
  const bn2 = a.cells.find(({ config }) => config.normalizer.name === 'batch' && config.batch.size === 2)!;
  assert.deepEqual(
    { ...d1.config, name: '', evaluate: {} },
    { ...bn2.config, name: '', evaluate: {} },
    'D1 differs from A’s BN at 2 in more than its evaluation',
  );
});

test('the paper’s table has the paper’s semantics, and what 16 channels cannot do is told', async () => {
  const paper = await loadExperiment('experiments/table2-paper.yaml');
  for (const { config } of paper.cells) {
    assert.equal(planCell(config).rate, (0.1 * config.batch.size) / 32);
    assert.deepEqual(config.learningRate.dropAt, [30, 60, 90]);
  }
  const groups = await loadExperiment('experiments/table3-groups.yaml');
  assert.deepEqual(
    groups.notPossible.map(({ label }) => label),
    ['64 groups', '32 groups'],
  );
});

test('a snapshot is the same experiment, overrides and base included', async () => {
  const base = join(folder, 'base.yaml');
  writeFileSync(base, 'model: resnet20\ndata: synthetic\nbatch: { workers: 2 }\n');
  const text = small
    .replace(/base:[\s\S]*axes/, 'base: base.yaml\naxes')
    .replace('seeds', 'set: { epochs: 7 }\nseeds');
  const original = await load(text, {
    set: ['learningRate.per=32', 'data={name: synthetic, augment: false}'],
  });
  assert.equal(original.cells[0].config.batch.workers, 2);
  mkdirSync(join(folder, 'taken'));
  const copy = join(folder, 'taken', 'experiment.yaml');
  writeFileSync(copy, original.snapshot);
  const again = await loadExperiment(copy);
  assert.deepEqual(again.cells, original.cells);
  assert.equal(again.name, 'mine');
  assert.equal(again.folder, join(folder, 'taken'), 'its results are where it is');
  assert.equal(again.snapshot, original.snapshot);
});

test('runs go by stage, then by seed, then as listed', async () => {
  const text = `${small}order:\n  - { stage: 1, runs: { batch.size: 2, seed: 1 } }\n  - { stage: 2, runs: { normalizer: group } }\n`;
  const { runs } = await load(text);
  assert.deepEqual(
    runs.map(({ cell, seed }) => `${cell.config.name} ${seed}`),
    ['bn-b2 1', 'gn-g8-b2 1', 'gn-g8-b32 1', 'gn-g8-b32 2', 'gn-g8-b2 2', 'bn-b32 1', 'bn-b32 2', 'bn-b2 2'],
  );
});

test('a value that is a list is named in a list', async () => {
  const lists = small.replace('axes:', 'axes:\n  learningRate.dropAt: [[1, 2], [2, 3]]');
  const { cells } = await load(`${lists}exclude:\n  - { learningRate.dropAt: [[1, 2]] }\n`);
  assert.equal(cells.length, 4);
  assert.ok(cells.every(({ config }) => config.learningRate.dropAt[0] === 2));
});

test('excluded cells are left out', async () => {
  const { cells } = await load(`${small}exclude:\n  - { normalizer: batch, batch.size: [32, 2] }\n`);
  assert.deepEqual(
    cells.map(({ config }) => config.name),
    ['gn-g8-b32', 'gn-g8-b2'],
  );
});

test('what is wrong is told with its place', async () => {
  const cases: [string, RegExp][] = [
    [small.replace('batch.size', 'batch.sise'), /^mine\.yaml:7:\d+: cell \S+: unknown key .*sise.*size/],
    [small.replace('[32, 2]', '[]'), /^mine\.yaml:7:15: axes\.batch\.size/],
    [small.replace(/axes:[\s\S]*seeds/, 'axes: {}\nseeds'), /^mine\.yaml:5:\d+: .*names no axis/],
    [small.replace('[32, 2]', '[32, 32]'), /^mine\.yaml:\d+:\d+: the cells .* are the same configuration/],
    [small.replace('[32, 2]', '[32, 0]'), /^mine\.yaml:7:15: cell bn-b0: batch\.size has to be/],
    [small.replace('[32, 2]', '[32, 4096]'), /^mine\.yaml:7:15: cell bn-b4096: .*4096/],
    [
      small.replace('groups: 8', 'groups: 5'),
      /^mine\.yaml:6:15: cell gn-g5-b32: .*use one of 1, 2, 4, 8, 16/,
    ],
    [
      small.replace('data: synthetic', 'data: synthetik'),
      /^mine\.yaml:4:9: cell bn-b32: .*did you mean synthetic/,
    ],
    [small.replace('title: mine\n', ''), /^mine\.yaml:1:1: title is missing/],
    [small.replace('seeds', 'sedes'), /^mine\.yaml:8:1: unknown key .*sedes.*seeds/],
    [small.replace('[1, 2]', '[1, 1]'), /^mine\.yaml:8:8: seeds names a seed twice/],
    [small.replace('[1, 2]', '[]'), /^mine\.yaml:8:8: seeds/],
    [small.replace('[1, 2]', '[1.5]'), /^mine\.yaml:8:9: seeds/],
    [
      `${small}exclude: [{ normalizer: layer }]\n`,
      /^mine\.yaml:9:\d+: normalizer never has the value "layer"/,
    ],
    [`${small}exclude: [{ epochs: 3 }]\n`, /^mine\.yaml:9:\d+: "epochs" is not an axis of this experiment/],
    [`${small}exclude: [{ normalizer: [batch, group] }]\n`, /^mine\.yaml:9:10: excludes every cell/],
    [`${small}order: [{ stage: 1, runs: { seed: 9 } }]\n`, /^mine\.yaml:9:\d+: seed never has the value 9/],
    [small.replace('batch.size', 'seed'), /^mine\.yaml:7:\d+: `seed` cannot be set for a cell/],
    [
      small.replace(/base:[\s\S]*axes/, 'base: nowhere.yaml\naxes'),
      /^mine\.yaml:2:7: base config nowhere\.yaml: no such file/,
    ],
    [
      small.replace('[1, 2]', JSON.stringify([...Array(3000).keys()])),
      /^mine\.yaml:\d+:\d+: the axes span 12000 runs/,
    ],
    ['', /^mine\.yaml:1:1: is empty/],
    ['title: [', /^mine\.yaml:1:\d+: /],
    [`${small}name: ../../etc\n`, /^mine\.yaml:9:7: name has to be/],
  ];
  for (const [text, expected] of cases) assert.match(await wrong(text), expected);
});

test('overrides from the command line are checked too', async () => {
  assert.match(await wrong(small, { set: ['epoch=3'] }), /^--set epoch: cell bn-b32: unknown key .*epochs/);
  assert.match(await wrong(small, { set: ['batch.size=4'] }), /are the same configuration/);
  assert.match(await wrong(small, { set: ['seed=4'] }), /^--set seed: `seed` cannot be set for a cell/);
});

test('whatever the file holds, there is an experiment or one error with a place', () => {
  const runs = Number(process.env.GNBENCH_FUZZ ?? 500);
  const mutated = fc
    .tuple(fc.nat(small.length - 1), fc.nat(8), fc.string({ unit: 'binary', maxLength: 8 }))
    .map(([at, length, text]) => small.slice(0, at) + text + small.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string({ unit: 'binary' })), (text) => {
      try {
        parseExperiment(text, 'mine.yaml').only(['base']);
      } catch (error) {
        assert.ok(error instanceof UserError, String((error as Error).stack));
        assert.match(error.place ?? '', /^mine\.yaml:\d+:\d+$/);
      }
    }),
    { numRuns: runs },
  );
});

test('a baseline that is not there is found out before the runs, with the nearest that is', async (t) => {
  const text = `title: x\nbaseline: reproduction-a-one-worke\nbase: { model: resnet20, normalizer: batch, data: synthetic }\naxes: { batch.size: [2] }\n`;
  const folder = mkdtempSync(join(tmpdir(), 'gnbench-baseline-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'x.yaml');
  writeFileSync(file, text);
  writeFileSync(join(folder, 'reproduction-a-one-worker.yaml'), text);
  await assert.rejects(loadExperiment(file, { check: true }), /did you mean reproduction-a-one-worker\?/);
});

test('an experiment goes by its name, its file or its results folder', async () => {
  const ids = [];
  const targets = ['table2-batch-size-small', 'experiments/table2-batch-size-small.yaml'];
  for (const target of [...targets, 'results/table2-batch-size-small']) {
    ids.push((await loadExperiment(target)).cells.map(({ key }) => key));
  }
  assert.deepEqual(ids[1], ids[0]);
  assert.deepEqual(ids[2], ids[0]);
});

test('the README’s experiment is one', () => {
  const block = readFileSync('README.md', 'utf8').match(/```yaml\n(title: [\s\S]*?)```/)![1];
  assert.deepEqual(parseExperiment(block, 'README.md').content.seeds, [1, 2, 3]);
});

test('a configuration and an experiment are told apart', async () => {
  await assert.rejects(loadExperiment('configs/quickstart.yaml'), /gnbench run|is a configuration/);
  await assert.rejects(loadConfig('experiments/table2-batch-size-small.yaml'), /this is an experiment/);
});

test('the cluster’s queue knows runs by their absolute paths, however the folder is spelled', async () => {
  const experiment = await load(small);
  const { folder: relative } = experiment.runs[1];
  assert.ok(!isAbsolute(relative));
  const states = (
    await readStatus(experiment, new Map([[resolve(relative), { state: 'queued', jobId: '1' }]]))
  ).map(({ state }) => state);
  assert.deepEqual(states, [
    'waiting',
    'queued',
    'waiting',
    'waiting',
    'waiting',
    'waiting',
    'waiting',
    'waiting',
  ]);
});

test('a snapshot can be read whatever it was made with, or it is refused before', async () => {
  const original = await load(small, {
    set: [
      'learningRate.dropAt=[0.9]',
      'learningRate.dropAt.0=0.3',
      'learningRate.dropAt=[0.5, 0.75]',
      'learningRate.dropAt.0=0.2',
    ],
  });
  const copy = join(folder, 'indexed', 'experiment.yaml');
  mkdirSync(join(folder, 'indexed'));
  writeFileSync(copy, original.snapshot);
  assert.deepEqual((await loadExperiment(copy)).cells, original.cells);

  const odd = join(folder, 'My_Exp.yaml');
  writeFileSync(odd, small);
  await assert.rejects(loadExperiment(odd), (error: UserError) => {
    assert.match(error.message, /"My_Exp" cannot be its name/);
    assert.deepEqual([error.place, error.exitCode], [odd, 2]);
    return true;
  });
  writeFileSync(odd, `name: my-exp\n${small}`);
  assert.equal((await loadExperiment(odd)).name, 'my-exp');
});

test('a trial with other settings does not keep a finished experiment', async () => {
  const name = 'table2-batch-size-small';
  const out = join(folder, 'trial');
  cpSync(join('results', name), join(out, name), { recursive: true });
  const cells = async () => (await loadExperiment(join(out, name))).cells.map(({ key }) => key);
  const before = await cells();
  await snapshot(await loadExperiment(name, { out, set: ['epochs=1'] }));
  assert.notDeepEqual(await cells(), before, 'the trial is what the folder is of');
  await snapshot(await loadExperiment(name, { out }));
  assert.deepEqual(await cells(), before, 'though nothing of it is left to run');
});

test('what finished runs were run with stays as it is written', async () => {
  const name = 'table2-batch-size-small';
  const out = join(folder, 'finished');
  cpSync(join('results', name), join(out, name), { recursive: true });
  const experiment = await loadExperiment(name, { out, set: ['engine.variant=cpu'] });
  const texts = () =>
    ['experiment.yaml', ...experiment.cells.map(({ key }) => join(key, 'config.yaml'))].map((path) =>
      readFileSync(join(out, name, path), 'utf8'),
    );
  const before = texts();
  await snapshot(experiment);
  assert.deepEqual(texts(), before);
  const [first] = experiment.cells;
  rmSync(experiment.runFolder(first, 1), { recursive: true });
  await snapshot(experiment);
  const changed = texts().map((text, index) => text !== before[index]);
  assert.deepEqual(
    changed.flatMap((is, index) => (is ? index : [])),
    [0, 1],
    'only that of the cell that is to run',
  );
});
