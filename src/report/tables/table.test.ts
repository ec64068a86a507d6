import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'csv-parse/sync';
import { collect } from '../../analysis/collect.js';
import { classificationError, type Metric } from '../../tasks/metric.js';
import { makeTrial, type Trial, trialIn } from '../testing/trial-experiment.js';
import { markdownSummary } from './markdown.js';
import { type TableModel, tableModel } from './model.js';
import { notesOf } from './notes.js';
import { renderTable, tableFormats } from './table.js';

/** BN rises by 4 points, a little differently in each seed; GN does not. */
function fill(trial: Trial, seeds = [1, 2, 3]): void {
  for (const seed of seeds) {
    for (const size of [32, 8, 2]) {
      trial.write(trial.cell('batch', size), seed, 13 + (size === 2 ? 4 + seed / 10 : 0) + seed / 100);
      trial.write(trial.cell('group', size), seed, 14 - seed / 10);
    }
  }
}

const find = (model: TableModel, id: string) => {
  const contrast = model.contrasts.find((candidate) => candidate.id === id);
  assert.ok(contrast, `${id} is not among ${model.contrasts.map(({ id }) => id)}`);
  return contrast;
};

test('a cell is the mean over seeds of the median of the last five epochs, beside the paper’s', async (t) => {
  const trial = await makeTrial(t);
  fill(trial);
  const model = tableModel(await collect(trial.file));
  const [first] = model.rows;
  assert.equal(first.label, 'BN, batch 32');
  assert.equal(first.published, 23.6);
  assert.deepEqual(
    first.values.map(({ seed, value }) => [seed, Number(value.toFixed(6))]),
    [
      [1, 13.01],
      [2, 13.02],
      [3, 13.03],
    ],
  );
  assert.equal(first.mean?.toFixed(6), '13.020000');
  assert.equal(first.std?.toFixed(6), '0.010000');
  assert.equal(first.gap, undefined, 'other data: no absolute gap');
  assert.deepEqual(model.matrix?.batchSizes, [32, 8, 2], 'the paper’s order, not the one they ran in');
});

test('evaluations every so many steps are not called epochs', async (t) => {
  const trial = await makeTrial(t);
  fill(trial);
  const study = await collect(trial.file);
  assert.equal(tableModel(study).statistic, 'the median of the last 5 epochs');
  for (const { config } of study.cells) config.evaluate.everySteps = 200;
  assert.equal(tableModel(study).statistic, 'the median of the last 5 evaluations');
});

test('a median of evaluations that are mostly from before the last drop of the rate is said to be one', async (t) => {
  const trial = await makeTrial(t);
  fill(trial);
  const study = await collect(trial.file);
  assert.deepEqual(notesOf(tableModel(study)), []);
  for (const { rows } of study.cells[0].runs) {
    for (const row of rows.slice(0, -2)) row.learning_rate = 10 * rows[rows.length - 1].learning_rate;
  }
  const [note, ...others] = notesOf(tableModel(study));
  assert.match(
    note,
    /^In BN, batch 32 most of the 5 evaluations whose median is given are from before the last drop/,
  );
  assert.deepEqual(others, []);
});

test('the contrasts are the paper’s, paired by seed', async (t) => {
  const trial = await makeTrial(t);
  fill(trial);
  const model = tableModel(await collect(trial.file));
  const rises = find(model, 'rise:BN-GN@2-32');
  assert.equal(rises.published, 11.1);
  assert.deepEqual(
    rises.pairs.map(({ difference }) => Number(difference.toFixed(6))),
    [4.1, 4.2, 4.3],
  );
  const half = (4.302653 * 0.1) / Math.sqrt(3);
  assert.ok(Math.abs(rises.ours!.interval![0] - (4.2 - half)) < 1e-6);
  assert.deepEqual(rises.verdict, { outcome: 'effect', direction: 'agrees', size: 'excluded' });
  assert.equal(find(model, 'GN-BN@2').published, -10.6);
  assert.deepEqual(find(model, 'GN@2-32').verdict, { outcome: 'equality', size: 'agrees' });
  assert.deepEqual(
    model.contrasts.map(({ id }) => id),
    ['GN-BN@32', 'GN-BN@8', 'GN-BN@2', 'BN@8-32', 'BN@2-32', 'GN@8-32', 'GN@2-32', 'rise:BN-GN@2-32'],
  );
});

test('below two seeds there is no interval, and a diverged run decides', async (t) => {
  const trial = await makeTrial(t);
  fill(trial, [1]);
  const one = find(tableModel(await collect(trial.file)), 'BN@2-32');
  assert.equal(one.ours?.n, 1);
  assert.equal(one.ours?.interval, undefined);
  assert.equal(one.verdict.outcome, 'too few seeds');
  trial.write(trial.cell('batch', 2), 2, 90, { status: 'diverged', divergedAtStep: 37 });
  const model = tableModel(await collect(trial.file));
  assert.equal(find(model, 'BN@2-32').verdict.outcome, 'diverged');
  assert.equal(find(model, 'GN@2-32').verdict.outcome, 'too few seeds');
  assert.match(
    renderTable(await collect(trial.file), 'markdown'),
    /BN, batch 2, seed 2: diverged at step 37/,
  );
  for (const text of [markdownSummary(model), renderTable(await collect(trial.file), 'latex')]) {
    assert.match(text, /13\.01 \(1 of 3\)/, 'a cell tells how many of its seeds are done');
    assert.match(text, /seed 2: diverged at step 37/);
  }
});

test('a table says which of its runs computed convolutions another way', async (t) => {
  const trial = await makeTrial(t);
  fill(trial, [1, 2]);
  const notes = async () => renderTable(await collect(trial.file), 'markdown').match(/^- .*filtering.*$/gm);
  assert.equal(await notes(), null);
  const filter = (batch: number, seed: number) => {
    for (const name of ['batch', 'group']) {
      const file = join(trial.experiment.runFolder(trial.cell(name, batch), seed), 'config.yaml');
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replace('convolutions: direct', 'convolutions: winograd'),
      );
    }
  };
  filter(2, 1);
  const mixed = [
    '- (W): convolutions by Winograd’s filtering; (some W): in some of the seeds; without a mark: direct ones.',
  ];
  assert.deepEqual(await notes(), mixed);
  const text = async (format: 'markdown' | 'latex' = 'markdown') =>
    renderTable(await collect(trial.file), format);
  assert.match(await text(), /\| BN, batch 2 \|.* \(some W\) \|.*\| 17\.\d\d \(W\), 17\.\d\d \|/);
  assert.match(await text(), /\| BN, batch 32 \|[^W]*\n/);
  assert.match(await text('latex'), / \(some W\)/);
  assert.equal(renderTable(await collect(trial.file), 'csv').match(/,winograd$/gm)?.length, 2);
  filter(2, 2);
  assert.match(await text(), /\| BN, batch 2 \|.*\d \(W\) \|[^W]*\n/);
  filter(32, 2);
  filter(8, 1);
  filter(8, 2);
  assert.deepEqual(await notes(), mixed);
  filter(32, 1);
  assert.deepEqual(await notes(), ['- Convolutions by Winograd’s filtering in all runs.']);
  assert.doesNotMatch(await text(), /\(W\)|some W/);
  const file = join(trial.experiment.runFolder(trial.cell('batch', 2), 1), 'config.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('precision: float32', 'precision: bfloat16'));
  assert.deepEqual(await notes(), [
    '- Convolutions by Winograd’s filtering (in bfloat16 if the processor has no unit for it) in all runs.',
  ]);
});

test('what a killed run leaves behind is incomplete, said, and never an exception', async (t) => {
  const trial = await makeTrial(t);
  const folders = [1, 2, 3].map((seed) => trial.write(trial.cell('batch', 32), seed, 13));
  const others = [1, 2, 3].map((seed) => trial.write(trial.cell('group', 32), seed, 13));
  truncateSync(join(folders[0], 'summary.json'), 40);
  rmSync(join(folders[1], 'summary.json'));
  truncateSync(join(folders[2], 'curves.csv'), 200);
  truncateSync(join(others[0], 'curves.csv'), 0);
  rmSync(join(others[1], 'curves.csv'));
  appendFileSync(join(others[2], 'curves.csv'), '7,70,9');
  const model = tableModel(await collect(trial.file));
  const [bn, gn] = ['BN, batch 32', 'GN, batch 32'].map(
    (label) => model.rows.find((row) => row.label === label)!,
  );
  assert.equal(bn.mean, undefined);
  assert.equal(bn.remarks.length, 3);
  assert.match(bn.remarks[2], /curves\.csv ends at epoch \d of 6/);
  assert.equal(gn.values.length, 1, 'a torn row behind the last epoch takes nothing away');
  assert.match(
    renderTable(await collect(trial.file), 'markdown'),
    /Not counted: BN, batch 32, seed 1: summary\.json/,
  );
});

test('any cut of a run’s files gives a table', async (t) => {
  const trial = await makeTrial(t);
  const folder = trial.write(trial.cell('batch', 32), 1, 13);
  for (const name of ['curves.csv', 'summary.json']) {
    const whole = readFileSync(join(folder, name));
    for (let length = 0; length < whole.length; length += 31) {
      writeFileSync(join(folder, name), whole.subarray(0, length));
      const [row] = tableModel(await collect(trial.file)).rows;
      // A curve that lost its last line break only is read as torn too.
      assert.equal(row.values.length, 0, `${name} cut at ${length}`);
      assert.equal(row.remarks.length, 1);
    }
    writeFileSync(join(folder, name), whole);
  }
});

test('the same files give the same bytes, in whatever order they were written', async (t) => {
  const [first, second] = [await makeTrial(t), await makeTrial(t)];
  fill(first, [1, 2, 3]);
  fill(second, [3, 1, 2]);
  for (const format of tableFormats) {
    const text = renderTable(await collect(first.file), format);
    assert.equal(text, renderTable(await collect(second.file), format));
    assert.equal(text, renderTable(await collect(join(first.root, 'results', 'trial')), format));
    assert.ok(!text.includes(first.root), `${format} holds a path of this machine`);
  }
});

test('times do not show in any format', async (t) => {
  const trial = await makeTrial(t);
  const cell = trial.cell('batch', 32);
  trial.write(cell, 1, 13);
  const before = await Promise.all(
    tableFormats.map(async (format) => renderTable(await collect(trial.file), format)),
  );
  trial.write(cell, 1, 13, { secondsTotal: 9999, imagesPerSecond: 1, finishedAt: '2020-01-01T00:00:00Z' });
  const after = await Promise.all(
    tableFormats.map(async (format) => renderTable(await collect(trial.file), format)),
  );
  assert.deepEqual(after, before);
});

test('csv has a row a run, wide a row a cell', async (t) => {
  const trial = await makeTrial(t);
  fill(trial, [1, 3]);
  const study = await collect(trial.file);
  const tidy: Record<string, string>[] = parse(renderTable(study, 'csv'), { columns: true });
  assert.equal(tidy.length, 18);
  assert.equal(tidy.filter((row) => row.outcome === 'completed').length, 12);
  const [wide]: Record<string, string>[] = parse(renderTable(study, 'wide'), { columns: true });
  assert.equal(wide.label, 'BN, batch 32');
  assert.deepEqual([wide.seed_1, wide.seed_2, wide.seed_3], ['13.01', '', '13.03']);
  assert.equal(wide.val_error_mean, '13.02');
});

test('the other metrics have columns where the first run has not begun', async (t) => {
  const trial = await makeTrial(t);
  const top5: Metric = {
    name: 'top5Error',
    label: 'top-5 error',
    unit: '%',
    better: 'lower',
    aboutEqual: 0.5,
  };
  const measured = {
    metrics: [classificationError, top5],
    valTop5Error: { final: 1, medianLast5: 1, best: 1 },
  };
  trial.write(trial.cell('group', 32), 2, 13, measured);
  const [first]: Record<string, string>[] = parse(renderTable(await collect(trial.file), 'csv'), {
    columns: true,
  });
  assert.equal(first.outcome, 'missing');
  assert.ok('val_top5Error_final' in first, Object.keys(first).join());
});

test('latex has no bare special character', async (t) => {
  const trial = await makeTrial(t, table2Special);
  const text = renderTable(await collect(trial.file), 'latex');
  assert.match(text, /100\\% \\& more\\_of \\#1/);
  assert.match(text, /\\begin\{tabular\}\{lrr\}/);
});

const table2Special = `
title: "100% & more_of #1"
base: { model: { name: resnet20 }, normalizer: { name: batch }, data: { name: synthetic }, epochs: 6 }
axes: { batch.size: [32, 16] }
`;

test('another experiment’s cells serve for comparison', async (t) => {
  const trial = await makeTrial(t);
  fill(trial);
  const precise = `
title: precise statistics
baseline: trial
base:
  model: { name: resnet20 }
  normalizer: { name: batch }
  data: { name: synthetic }
  batch: { size: 2 }
  epochs: 6
axes: { evaluate.statistics: [precise] }
seeds: [1, 2]
`;
  const control = await trialIn(trial.root, precise, 'control');
  for (const seed of [1, 2]) control.write(control.cell('batch', 2), seed, 15 + seed / 10);
  const model = tableModel(await collect(control.file));
  assert.deepEqual(
    model.baselineRows.map(({ label }) => label),
    ['BN, batch 2, running statistics'],
  );
  const [contrast] = model.contrasts;
  assert.equal(contrast.label, 'BN at 2: precise statistics − running statistics');
  assert.deepEqual(
    contrast.pairs.map(({ difference }) => Number(difference.toFixed(6))),
    [-2.01, -2.02],
  );
  assert.equal(contrast.verdict.outcome, 'differs');
  const both = tableModel(await collect([trial.file, control.file]));
  assert.equal(both.rows.length, 7);
  assert.ok(both.contrasts.some(({ kind }) => kind === 'control'));
  const twin = await trialIn(trial.root, precise, 'twin');
  const controls = tableModel(await collect([control.file, twin.file]));
  assert.equal(controls.baselineRows.length, 1, 'the baseline of both, once');
  assert.equal(controls.rows[0].published, undefined, 'the paper’s BN has running statistics');
});

test('what differs from the paper is told of the cells that serve for comparison, too', async (t) => {
  const trial = await makeTrial(t);
  const layer = `
title: another normalizer
baseline: trial
base:
  model: { name: resnet20 }
  normalizer: { name: layer }
  data: { name: synthetic }
  batch: { size: 8 }
  epochs: 6
axes: { normalizer: [layer] }
`;
  const other = await trialIn(trial.root, layer, 'other');
  assert.match(tableModel(await collect(other.file)).differences, /GN with 8 groups instead of 32/);
});

test('a run of a seed that the experiment does not have is named', async (t) => {
  const trial = await makeTrial(t);
  const cell = trial.cell('batch', 32);
  trial.write(cell, 3, 13);
  trial.write(cell, 7, 13);
  assert.deepEqual((await collect(trial.file)).strays, [join(cell.key, '7')]);
  assert.match(await renderTable(await collect(trial.file), 'markdown'), /is no run of this experiment\./);
});

test('plain folders of runs need no experiment, and a repeated run counts once', async (t) => {
  const trial = await makeTrial(t);
  fill(trial, [1, 2]);
  rmSync(trial.file);
  const again = join(trial.root, 'results', 'trial', 'again');
  const source = trial.write(trial.cell('group', 8), 1, 13.9);
  cpSync(source, again, { recursive: true });
  const model = tableModel(await collect(join(trial.root, 'results', 'trial')));
  assert.equal(model.rows.length, 6);
  const row = model.rows.find(({ label }) => label === 'GN, batch 8')!;
  assert.equal(row.values.length, 2);
  assert.match(row.remarks.join(), /repetition/);
  assert.equal(find(model, 'GN-BN@2').published, -10.6);
});

test('what is no experiment is told from what is one', async () => {
  await assert.rejects(collect('tabel2-batch-size'), /no experiment and no folder/);
  await assert.rejects(collect([]), /no experiment is named/);
});
