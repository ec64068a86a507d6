/** The experiments on detectors: their cells' names, and the contrasts with the paper's Tables 4 to 7. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadExperiment } from '../experiments/experiment.js';
import { tableModel } from '../report/tables/model.js';
import { collect, studyOf } from './collect.js';
import { contrastsOf } from './contrasts.js';
import { differencesFromPaper, differencesLine } from './differences.js';

const study = async (name: string) => studyOf(await loadExperiment(`experiments/${name}.yaml`));
const told = (found: ReturnType<typeof contrastsOf>) =>
  Object.fromEntries(found.map(({ label, published }) => [label, published]));

test('a detector goes by its backbone’s normalizer, and is held against the paper’s row', async () => {
  const fineTuned = await study('detection-nuclei-finetune');
  assert.equal(fineTuned.metric.name, 'maskAP');
  assert.deepEqual(
    fineTuned.cells.map(({ label, published }) => [label, published?.source, published?.value]),
    [
      ['BN in the backbone, batch 2', undefined, undefined],
      ['GN, batch 2', 'Table 6', 35.7],
      ['frozen BN, batch 2', 'Table 6', 34.5],
    ],
  );
  assert.deepEqual(told(contrastsOf(fineTuned)), {
    'GN − BN in the backbone at 2': undefined,
    'frozen BN − GN at 2': -1.2,
    'BN in the backbone − frozen BN at 2': undefined,
  });
});

test('a normalizer in the box head is compared with none there, as in Table 5', async () => {
  const heads = await study('detection-nuclei-box-head');
  const contrasts = told(contrastsOf(heads).filter(({ kind }) => kind === 'heads'));
  assert.deepEqual(contrasts, {
    'frozen BN, GN in the box head − frozen BN at 2': 0.2,
    'frozen BN, BN in the box head − frozen BN at 2': undefined,
  });
  const labels = contrastsOf(heads).map(({ label }) => label);
  assert.ok(!labels.some((label) => label.startsWith('BN in the backbone')), `the baseline’s own: ${labels}`);
  assert.equal(
    tableModel(heads).source,
    'Table 5, Table 6',
    'the rows that it is compared with have a source, too',
  );
});

test('the paper’s own tables have their rows and differences', async () => {
  assert.deepEqual(told(contrastsOf(await study('coco-table4-c4'))), { 'frozen BN − GN at 1': -1.1 });
  const fpn = await study('coco-table6-fpn');
  assert.deepEqual(
    fpn.cells.map(({ published }) => published?.value).sort(),
    [38.6, 40.3, 40.8, 40.9, 41.8, 42.3],
  );
  const differences = contrastsOf(fpn).filter(({ kind }) => kind === 'normalizers');
  assert.deepEqual(differences.map(({ published }) => published).sort(), [-0.9, -1.7]);
  const scratch = await study('coco-table7-scratch');
  assert.deepEqual(scratch.cells.map(({ published }) => published?.value).sort(), [39.5, 41]);
  const heads = contrastsOf(await study('coco-table5-box-head')).filter(({ kind }) => kind === 'heads');
  assert.deepEqual(
    heads.map(({ published }) => published),
    [0.9, undefined],
  );
});

test('from scratch, the paper has GN at two images a worker and nothing at one', async () => {
  const { cells } = await study('detection-shapes');
  const published = cells.map(({ label, published }) => [label, published?.value]);
  assert.deepEqual(published, [
    ['BN, batch 2', undefined],
    ['BN, batch 1', undefined],
    ['GN, batch 2', 35.2],
    ['GN, batch 1', undefined],
  ]);
});

test('an average precision does not rise where it is better high', async () => {
  const rises = contrastsOf(await study('detection-shapes')).filter(({ kind }) => kind === 'rises');
  assert.deepEqual(
    rises.map(({ label }) => label),
    ['BN’s change from 2 to 1 − GN’s'],
  );
});

test('mask AP and box AP have no place in one table', async () => {
  const [nuclei, coco] = ['detection-nuclei-scratch', 'coco-table7-scratch'];
  await assert.rejects(
    collect([nuclei, coco].map((name) => `experiments/${name}.yaml`)),
    /detection-nuclei-scratch is judged by mask AP, coco-table7-scratch by box AP/,
  );
});

test('what differs from the paper is told of its detectors, not of its classifiers', async () => {
  const found = differencesFromPaper(await study('detection-nuclei-scratch'));
  // With what its runs read, once there are some.
  assert.match(found[0], /^data in COCO’s form( \(.*\))? instead of COCO$/);
  for (const phrase of [
    'ResNet-18 instead of ResNet-50',
    '20 epochs instead of 270,000 steps',
    'cosine schedule instead of after 210,000 and 250,000 of 270,000 steps',
    'rate 0.02 per 4 images a step instead of 0.02 per 16',
  ]) {
    assert.ok(found.includes(phrase), `${phrase}: ${found.join('; ')}`);
  }
  assert.ok(
    !found.some((phrase) => /nesterov|decayBias|warmup|backbone|boxHead/.test(phrase)),
    found.join('; '),
  );
  const fineTuned = await study('detection-nuclei-finetune');
  const differences = differencesFromPaper(fineTuned);
  assert.ok(differences.includes('20 epochs instead of 180,000 steps'), differences.join('; '));
  assert.ok(
    differences.includes('frozen BN with the box head 4conv1fc instead of 2fc'),
    differences.join('; '),
  );
  assert.match(differencesLine(fineTuned), /not the values themselves\.$/);
});

test('the paper’s own tables differ from it in nothing but where the data are from', async () => {
  for (const name of ['coco-table4-c4', 'coco-table5-box-head', 'coco-table6-fpn', 'coco-table7-scratch']) {
    const found = differencesFromPaper(await study(name));
    assert.deepEqual(found, ['data in COCO’s form instead of COCO'], name);
  }
});
