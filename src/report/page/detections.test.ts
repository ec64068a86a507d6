/** A detector's report: pictures, AP by class, precision against recall and the losses' curves. Nothing is trained. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { studyOf } from '../../analysis/collect.js';
import type { Study, StudyRun } from '../../analysis/study.js';
import { loadExperiment } from '../../experiments/experiment.js';
import { detectionMetrics } from '../../tasks/detection/metrics.js';
import { figuresOf } from '../figures/figures.js';
import { classTable, examplesOf } from './detections.js';
import { renderReport } from './report.js';

const root = mkdtempSync(join(tmpdir(), 'gnbench-detections-'));
after(() => rmSync(root, { recursive: true, force: true }));

const mostRecall = 100;
/** Precision is `value` up to a recall of 60 %, and 0 beyond. */
const precisionAt50 = (value: number) =>
  Array.from({ length: mostRecall + 1 }, (_, recall) => (recall <= 60 ? value : 0));
const classes = (...values: (number | string)[]) =>
  values.map((AP, index) => ({ name: ['circle', '<box>'][index], objects: 1200 * (index + 1), AP }));

/** The shapes' experiment with runs of two seeds a cell, whatever has been trained of it; `files` are theirs by seed. */
async function withRuns(files: (seed: number) => Record<string, string>): Promise<Study> {
  const study = await studyOf(await loadExperiment('experiments/detection-shapes.yaml'));
  const [maskAP, ...others] = detectionMetrics(['mask', 'box']);
  const cells = study.cells.map((cell) => {
    const runs = [1, 2].map((seed) => {
      const folder = mkdtempSync(join(root, 'run-'));
      for (const [name, text] of Object.entries(files(seed))) writeFileSync(join(folder, name), text);
      const rows = [1, 2, 3].map((epoch) => ({
        epoch,
        step: epoch * 10,
        train_loss: 3 / epoch,
        train_proposalScore: 1 / epoch,
        train_mask: 2 / epoch,
        val_maskAP: 10 * epoch + seed,
        val_maskAP50: 20 * epoch,
        val_boxAP: 11 * epoch,
      }));
      const run = { seed, folder, outcome: 'completed', epochs: { done: 3, total: 3 }, rows, value: 31 };
      return {
        ...run,
        metrics: [maskAP, ...others],
        summary: { secondsTotal: 60, dataset: { name: 'shapes', official: true } },
      } as unknown as StudyRun;
    });
    return { ...cell, runs };
  });
  return { ...study, cells };
}

const scored = (seed: number) => ({
  'average-precision.json': JSON.stringify({
    box: { precisionAt50: precisionAt50(0.8), perCategory: classes(0.7, 0.1) },
    mask: {
      precisionAt50: seed === 1 ? precisionAt50(0.5) : precisionAt50(0.7),
      perCategory: classes(0.4 + 0.1 * seed, seed === 1 ? 0.3 : 'no object'),
    },
  }),
});

test('a page shows a picture of each cell’s first run that has one', async () => {
  const study = await withRuns(
    (seed): Record<string, string> => (seed === 2 ? { 'examples.webp': 'a "picture"', ...scored(2) } : {}),
  );
  const examples = examplesOf(study);
  assert.equal(examples.match(/<figure/g)?.length, study.cells.length);
  assert.ok(examples.includes(Buffer.from('a "picture"').toString('base64')));
  assert.match(examples, /GN, batch 2, seed 2/);
  assert.match(examples, /rgb\(60, 180, 75\)">■<\/span> &lt;box&gt;/);
  assert.match(await renderReport(study), /<h2>Examples<\/h2>/);
});

test('a class has its AP by masks, the mean over the seeds that have objects of it', async () => {
  const table = classTable(await withRuns(scored));
  assert.match(table, /circle<\/td><td class="number">1,200<\/td><td class="number">55\.0</);
  assert.match(table, /&lt;box&gt;<\/td><td class="number">2,400<\/td><td class="number">30\.0</);
});

test('precision against recall is drawn for boxes and masks, the mean over seeds', async () => {
  const figure = figuresOf(await withRuns(scored)).find(({ name }) => name === 'precision-recall')!;
  assert.deepEqual(
    figure.panels.map(({ title, subtitle }) => [title, subtitle[1]]),
    [
      ['Boxes', '2 seeds'],
      ['Masks', '2 seeds'],
    ],
  );
  const masks = figure.panels[1].points.filter(({ line }) => line === 'GN, 1');
  assert.equal(masks.length, mostRecall + 1);
  assert.deepEqual(
    [0, 60, 61].map((recall) => masks[recall].y),
    [60, 60, 0],
  );
});

test('AP, the loss and each of its parts are drawn by epochs; AP against the images a worker', async () => {
  const figures = figuresOf(await withRuns(scored));
  const curves = figures.find(({ name }) => name === 'curves')!;
  assert.deepEqual(
    curves.panels.map(({ title }) => title).filter((title) => title.startsWith('GN')),
    ['mask AP', 'box AP']
      .map((name) => `GN: validation ${name}`)
      .concat(['loss', 'loss, proposal score', 'loss, mask'].map((name) => `GN: training ${name}`)),
  );
  assert.match(curves.caption, /^Validation mask AP, box AP and training loss with its parts against epochs/);
  const byBatch = figures.find(({ name }) => name === 'maskAP-by-batch-size')!;
  assert.equal(byBatch.panels.at(-1)!.x.title, 'images a worker');
});

test('a page of runs without scores and pictures has no section for them, whatever a file holds', async () => {
  for (const files of [{}, { 'average-precision.json': '{' }, { 'average-precision.json': '{"mask": 1}' }]) {
    const study = await withRuns(() => files as Record<string, string>);
    assert.doesNotMatch(await renderReport(study), /Examples|AP of each class|Precision against recall/);
  }
});
