/** Fine-tuning from pre-trained weights, as tables, contrasts and claims see it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect, studyOf } from '../../analysis/collect.js';
import { contrastsOf } from '../../analysis/contrasts.js';
import { differencesFromPaper } from '../../analysis/differences.js';
import { paperClaims } from '../../claims/list.js';
import { loadExperiment } from '../../experiments/experiment.js';
import { figuresOf } from '../figures/figures.js';
import { renderTable } from '../tables/table.js';
import { makeTrial } from '../testing/trial-experiment.js';
import { renderReport } from './report.js';

const text = `
title: From five classes to five others
base:
  model: { name: resnet20 }
  data: { name: synthetic, classes: [5, 6, 7, 8, 9] }
  batch: { size: 2 }
  epochs: 6
axes:
  init:
    - { weights: results/first/bn-1/1, head: new }
    - { weights: results/first/gn-1/1, head: new }
    - scratch
  normalizer: [batch, frozen-batch, { name: group, groups: 8 }]
exclude:
  - { normalizer: group, init: { weights: results/first/bn-1/1 } }
  - { normalizer: [batch, frozen-batch], init: { weights: results/first/gn-1/1 } }
  - { normalizer: frozen-batch, init: scratch }
seeds: [1, 2, 3]
`;

/** Errors around these means; the same deviation in all cells of a seed. */
const errors: Record<string, number> = {
  'bn-pretrained': 30,
  'frozen-batch-pretrained': 22,
  'gn-g8-pretrained': 20,
  'bn-scratch': 50,
  'gn-g8-scratch': 40,
};

test('pre-trained cells are compared with each other, and each with its own from scratch', async (t) => {
  const trial = await makeTrial(t, text);
  for (const cell of trial.experiment.cells) {
    for (const seed of [1, 2, 3]) {
      trial.write(cell, seed, errors[cell.key.replace(/-[0-9a-f]{10}$/, '')] + seed + cell.key.length / 1e3);
    }
  }
  const study = await collect(trial.file);
  const found = contrastsOf(study).map(({ id, ours, published, verdict }) => [
    id,
    Math.round(ours!.mean),
    published,
    verdict.outcome,
  ]);
  assert.deepEqual(found, [
    ['GN-BN@2, from scratch', -10, undefined, 'differs'],
    ['transfer:GN-BN@2, pre-trained', -10, undefined, 'differs'],
    ['transfer:frozen BN-GN@2, pre-trained', 2, undefined, 'differs'],
    ['transfer:BN-frozen BN@2, pre-trained', 8, undefined, 'differs'],
    ['transfer:pre-trained-from scratch:BN at 2', -20, undefined, 'differs'],
    ['transfer:pre-trained-from scratch:GN at 2', -20, undefined, 'differs'],
  ]);
  const claim = paperClaims.find(({ id }) => id === 'abstract-6')!;
  assert.equal(contrastsOf(study).filter((each) => claim.supports!(each)).length, 5);
  for (const { id, supports, only } of paperClaims) {
    const speaks = contrastsOf(study).some((each) => supports?.(each)) && (only?.(study) ?? true);
    assert.equal(speaks, id === 'abstract-6', id);
  }
  const table = renderTable(study, 'markdown');
  assert.match(table, /\| frozen BN, batch 2, pre-trained \| – \| 24\.03/);
  assert.match(table, /\| GN, batch 2, from scratch \| – \|/);
  const differences = differencesFromPaper(study);
  assert.ok(differences.includes('5 of its classes'), String(differences));
  assert.ok(differences.includes('fine-tuned for classification instead of Mask R-CNN fine-tuned on COCO'));
  assert.deepEqual(
    figuresOf(study).map(({ name }) => name),
    ['curves'],
  );
  assert.match(await renderReport(study), /frozen BN/);
});

test('frozen parts, their rates and chosen classes have names in labels', async (t) => {
  const several = `
title: Parts
base: { model: resnet20, normalizer: group, data: synthetic, epochs: 6 }
axes:
  optimizer.frozen: [[], [stem, stage1]]
  optimizer.rates: [{}, { head: 10, stage2.block0: 0.5 }]
`;
  const { cells } = await collect((await makeTrial(t, several)).file);
  assert.deepEqual(cells.map(({ label }) => label).sort(), [
    'GN, batch 32, nothing frozen, rate of head ×1, rate of stage2.block0 ×1',
    'GN, batch 32, nothing frozen, rate of head ×10, rate of stage2.block0 ×0.5',
    'GN, batch 32, stage1 and stem frozen, rate of head ×1, rate of stage2.block0 ×1',
    'GN, batch 32, stage1 and stem frozen, rate of head ×10, rate of stage2.block0 ×0.5',
  ]);
});

test('what the shipped experiment begins with is what the pre-training leaves', async () => {
  const first = await loadExperiment('experiments/transfer-pretrain.yaml');
  const second = await loadExperiment('experiments/transfer-finetune.yaml');
  const runs = new Map(first.runs.map(({ folder, cell }) => [folder, cell.config.normalizer.name]));
  const kin = { batch: 'batch', 'frozen-batch': 'batch', group: 'group' } as Record<string, string>;
  for (const { config } of second.cells) {
    if (config.init) assert.equal(runs.get(config.init.weights), kin[config.normalizer.name]);
  }
  const classes = [...first.cells, ...second.cells].map(({ config }) => config.data.classes);
  assert.equal(new Set(classes[0]!.concat(classes.at(-1)!)).size, 10);
  assert.equal((await studyOf(second)).cells.length, 5);
});
