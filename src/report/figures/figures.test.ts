import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { collect } from '../../analysis/collect.js';
import { plot } from '../../commands/plot.js';
import { report } from '../../commands/report.js';
import { ResponsesLog } from '../../runs/responses.js';
import { reportFiles } from '../page/artifacts.js';
import { escapeHtml, inlineSvg, intervalBar } from '../page/html.js';
import { renderReport } from '../page/report.js';
import { makeTrial, type Trial } from '../testing/trial-experiment.js';
import { figuresOf } from './figures.js';
import { type LinePoint, panelSpec } from './panel.js';
import { figureSpec, hasFonts, renderPng, renderSvg } from './render.js';
import { lineStyles } from './style.js';

function fill(trial: Trial, seeds = [1, 2]): void {
  for (const cell of trial.experiment.cells) {
    for (const seed of seeds) trial.write(cell, seed, 13 + seed / 10 + 4 / cell.config.batch.size);
  }
}

test('an experiment over batch sizes has the paper’s Figures 1 and 5', async (t) => {
  const trial = await makeTrial(t);
  fill(trial);
  const figures = figuresOf(await collect(trial.file));
  assert.deepEqual(
    figures.map(({ name }) => name),
    ['error-by-batch-size', 'curves'],
  );
  const [paper, ours] = figures[0].panels;
  assert.equal(paper.points.find(({ line, x }) => line === 'BN' && x === 2)?.y, 34.7);
  const point = ours.points.find(({ line, x }) => line === 'GN' && x === 2)!;
  assert.deepEqual(
    [point.low, point.high].map((value) => value?.toFixed(3)),
    ['15.100', '15.200'],
  );
  const length = ({ y }: typeof paper) => y.domain[1] - y.domain[0];
  assert.equal(length(paper), length(ours), 'a point of error is as long in both');
  assert.deepEqual(
    figures[1].panels.map(({ title }) => title),
    ['BN: validation error', 'GN: validation error', 'BN: training error', 'GN: training error'],
  );
});

test('a run that diverged takes nothing from its cell’s curve, and without numbers there is none', async (t) => {
  const trial = await makeTrial(t);
  const cell = trial.cell('batch', 32);
  trial.write(cell, 1, 13);
  trial.write(cell, 2, 90, { status: 'diverged', epochs: { done: 2, total: 6 } });
  const curves = figuresOf(await collect(trial.file)).find(({ name }) => name === 'curves')!;
  assert.deepEqual(
    curves.panels[0].points.map(({ x, low }) => [x, low]),
    [1, 2, 3, 4, 5, 6].map((epoch) => [epoch, undefined]),
  );
  const only = await makeTrial(t);
  const folder = only.write(only.cell('batch', 32), 1, 13, { status: 'diverged' });
  const rows = readFileSync(join(folder, 'curves.csv'), 'utf8').split('\n');
  const broken = rows.map((row, index) =>
    index === 0 ? row : row.replace(/^(\d+,\d+,\d+),.*/, '$1,0.1,NaN,NaN,NaN,NaN,1,1'),
  );
  writeFileSync(join(folder, 'curves.csv'), broken.join('\n'));
  assert.deepEqual(figuresOf(await collect(only.file)), []);
});

test('logged responses are Figure 6: a panel for each cell, a line for each percentile, the mean over seeds', async (t) => {
  const trial = await makeTrial(
    t,
    `
title: responses
reproduces: { figure: 6 }
base: { model: { name: vgg16 }, data: { name: synthetic }, epochs: 2, log: { responses: [stage5.conv3] } }
axes: { normalizer: [none, batch] }
seeds: [1, 2]
`,
  );
  fill(trial);
  const isResponses = ({ name }: { name: string }) => name.startsWith('responses');
  assert.deepEqual(figuresOf(await collect(trial.file)).filter(isResponses), []);
  for (const [index, cell] of trial.experiment.cells.entries()) {
    for (const seed of [1, 2]) {
      const file = join(trial.experiment.runFolder(cell, seed), 'responses.csv');
      const log = ResponsesLog.open(file, ['stage5.conv3']);
      for (const epoch of [1, 2]) {
        const layers = { 'stage5.conv3': [-seed * epoch, -1, 1 + index, 2 * epoch] };
        log.append({ epoch, step: epoch, layers });
      }
      log.close();
    }
  }
  const [figure, ...others] = figuresOf(await collect(trial.file)).filter(isResponses);
  assert.deepEqual(others, []);
  assert.equal(figure.name, 'responses-stage5-conv3');
  assert.deepEqual(
    figure.panels.map(({ title, subtitle, lines }) => [title, subtitle, lines.map(({ name }) => name)]),
    ['BN', 'no norm'].map((name) => [name, ['2 seeds'], ['99', '80', '20', '1']]),
  );
  const at = (title: string, line: string) =>
    figure.panels
      .find((panel) => panel.title === title)!
      .points.filter((point) => point.line === line)
      .map(({ x, y }) => [x, y]);
  assert.deepEqual(at('no norm', '1'), [
    [1, -1.5],
    [2, -3],
  ]);
  assert.deepEqual(at('BN', '80'), [
    [1, 2],
    [2, 2],
  ]);
  assert.deepEqual(figure.panels[0].y.domain, [-3, 4]);
  assert.match(await renderSvg(figureSpec(figure)), /percentile/);
});

test('Table 3 is drawn against the groups, LN being one', async (t) => {
  const trial = await makeTrial(
    t,
    `
title: groups
reproduces: { table: 3 }
base: { model: { name: resnet20 }, data: { name: synthetic }, epochs: 6 }
axes: { normalizer: [{ name: group, groups: 8 }, { name: group, groups: 2 }, layer] }
`,
  );
  fill(trial, [1]);
  const [figure] = figuresOf(await collect(trial.file));
  assert.equal(figure.name, 'error-by-groups');
  assert.deepEqual(
    figure.panels[0].points.map(({ x, y }) => [x, y]).sort((a, b) => b[0] - a[0]),
    [
      [8, 24.4],
      [2, 24.7],
      [1, 25.3],
    ],
  );
});

test('the paper’s panel names the data of the table that is repeated', async (t) => {
  const clips = '{ name: i3d-resnet18 }, data: { name: synthetic-video }, batch: { workers: 1 }';
  const images = '{ name: resnet20 }, data: { name: synthetic }';
  for (const [table, model, words] of [
    [8, clips, 'Kinetics, I3D ResNet-50'],
    [2, images, 'ImageNet, ResNet-50'],
  ] as const) {
    const trial = await makeTrial(
      t,
      `
title: data
reproduces: { table: ${table} }
base: { model: ${model}, epochs: 6 }
axes: { normalizer: [{ name: group, groups: 32 }, batch], batch.size: [8, 4] }
`,
    );
    fill(trial, [1]);
    const [figure] = figuresOf(await collect(trial.file));
    const paper = figure.panels.find(({ title }) => title === 'Paper');
    assert.equal(paper?.subtitle[0], words);
  }
});

test('the paper’s panel has every row of its table', async (t) => {
  const trial = await makeTrial(
    t,
    `
title: frames
reproduces: { table: 8 }
base: { model: { name: i3d-resnet50 }, data: { name: synthetic-video }, batch: { workers: 1 }, epochs: 6 }
axes: { normalizer: [batch, { name: group, groups: 32 }], batch.size: [8, 4], data.frames: [32, 64] }
exclude: [{ batch.size: 8, data.frames: 64 }]
`,
  );
  fill(trial, [1]);
  const [{ panels }] = figuresOf(await collect(trial.file));
  const [paper, ours] = panels;
  const values = [26.7, 27, 27.9, 27.2, 26.7, 25.5];
  assert.deepEqual(new Set(paper.points.map(({ y }) => y)), new Set(values));
  assert.equal(paper.points.length, ours.points.length);
  assert.equal(ours.x.title, 'batch size (clips)');
});

test('each curve has marks, however many steps lie between its rows', async (t) => {
  const trial = await makeTrial(t);
  fill(trial);
  const study = await collect(trial.file);
  for (const cell of study.cells) {
    cell.config.evaluate.everySteps = 200;
    for (const { rows } of cell.runs) {
      for (const row of rows) Object.assign(row, { step: row.epoch * 200 });
    }
  }
  const figure = figuresOf(study).find(({ name }) => name === 'curves')!;
  for (const panel of figure.panels) {
    const layers = (
      panelSpec(panel) as { layer: { mark: { type: string }; data: { values: LinePoint[] } }[] }
    ).layer;
    const marked = layers.find(({ mark }) => mark.type === 'point')!.data.values;
    assert.deepEqual(new Set(marked.map(({ line }) => line)), new Set(['32', '8', '2']), panel.title);
  }
});

test('the same specification gives the same SVG; PNG has its size twice', async (t) => {
  const trial = await makeTrial(t);
  fill(trial);
  const spec = figureSpec(figuresOf(await collect(trial.file))[0]);
  const svg = await renderSvg(spec);
  assert.ok(svg === (await renderSvg(JSON.parse(JSON.stringify(spec)))));
  for (const word of ['Paper', 'batch size', 'GN', 'validation error (%)'])
    assert.ok(svg.includes(`>${word}<`), word);
  const png = await renderPng(svg);
  const width = Number(/width="(\d+)"/.exec(svg)?.[1]);
  assert.equal(png.readUInt32BE(16), 2 * width);
});

test('a drawing that is too large for the rasterizer is made smaller', async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40000" height="20" viewBox="0 0 40000 20"/>';
  const png = await renderPng(svg);
  assert.equal(png.readUInt32BE(16), 16_000);
});

test('lines differ in colour, shape and dash each', () => {
  for (const names of [
    ['BN', 'LN', 'IN', 'GN', 'no norm'],
    ['32', '16', '8', '4', '2'],
  ]) {
    const styles = lineStyles(names);
    for (const of of [
      styles.map(({ color }) => color),
      styles.map(({ shape }) => shape),
      styles.map(({ dash }) => dash.join()),
    ]) {
      assert.equal(new Set(of).size, names.length);
    }
  }
});

test('an interval that goes on beyond the scale ends in an arrow', () => {
  const [domain, mean] = [[-2, 20] as [number, number], 18];
  const arrows = (interval: [number, number]) =>
    intervalBar({ mean, interval, domain }).match(/<path class="ours"/g)?.length ?? 0;
  assert.deepEqual([arrows([-2, 20]), arrows([-3, 20]), arrows([-2, 21]), arrows([-29, 66])], [0, 1, 1, 2]);
});

test('a page is made again from the folder of its results', async (t) => {
  const trial = await makeTrial(t);
  fill(trial, [1]);
  const command = async (targets: string[]) =>
    /<pre>(gnbench report .*)<\/pre>/.exec(await renderReport(await collect(targets)))?.[1];
  assert.equal(await command([trial.file]), 'gnbench report results/trial');
  const folder = join(trial.experiment.folder, trial.cell('batch', 2).key);
  assert.equal(
    await command([trial.file, folder]),
    `gnbench report results/trial trial/${trial.cell('batch', 2).key} --out PAGE.html`,
  );
  const here = process.cwd();
  process.chdir(trial.root);
  t.after(() => process.chdir(here));
  assert.equal(await command([folder]), `gnbench report results/trial/${trial.cell('batch', 2).key}`);
});

test('a page needs nothing from anywhere and escapes what files say', async (t) => {
  const trial = await makeTrial(t);
  fill(trial);
  trial.write(trial.cell('batch', 8), 2, 13, {
    status: 'failed',
    failure: { kind: 'crash', message: '<script>alert(1)</script>' },
  });
  const page = await renderReport(await collect(trial.file));
  assert.ok(!page.includes('<script'), 'no script, and none from a file');
  assert.ok(page.includes('&lt;script&gt;'));
  assert.ok(page.includes('a &lt;CPU&gt; &amp; more'));
  const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
  assert.deepEqual(
    addresses.filter((address) => !address.startsWith('#') && !address.startsWith('data:')),
    [],
  );
  const ids = [...page.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length, 'drawings do not share ids');
  assert.ok(!page.includes(trial.root), 'no path of this machine');
});

test('an environment that was cut short is left out', async (t) => {
  const trial = await makeTrial(t);
  const folder = trial.write(trial.cell('batch', 32), 1, 13);
  writeFileSync(join(folder, 'environment.json'), '{"cpu": ');
  assert.match(await renderReport(await collect(trial.file)), /No run has recorded one/);
});

test('without a single run there are tables and a page, but nothing to plot', async (t) => {
  const trial = await makeTrial(t);
  const files = await reportFiles(await collect(trial.file));
  assert.deepEqual([...files.keys()], ['table.md', 'runs.csv', 'cells.csv', 'report.html']);
  await assert.rejects(plot(trial.file), /nothing to draw yet/);
});

test('the commands write what the functions give', async (t) => {
  const trial = await makeTrial(t);
  fill(trial, [1]);
  const write = t.mock.method(process.stdout, 'write', () => true);
  const out = join(trial.root, 'pictures');
  assert.equal(await plot(trial.file, { out }), 0);
  assert.equal(await report(trial.file), 0);
  write.mock.restore();
  const files = await reportFiles(await collect(trial.file), { png: false });
  for (const [name, content] of files) {
    assert.ok(readFileSync(join(trial.experiment.folder, name), 'utf8') === content, name);
  }
  assert.ok(readFileSync(join(out, 'curves.svg'), 'utf8').startsWith('<svg'));
});

test('a folder that cannot be written is an error with its name', { timeout: 60_000 }, async (t) => {
  const trial = await makeTrial(t);
  fill(trial, [1]);
  // Under /proc the system says ENOENT, at which Node's own making of folders tries for ever.
  await assert.rejects(plot(trial.file, { out: '/proc/x/figures' }), { name: 'UserError' });
  const blocked = join(trial.root, 'blocked');
  writeFileSync(blocked, '');
  await assert.rejects(plot(trial.file, { out: join(blocked, 'x') }), { name: 'UserError' });
});

test('this system has fonts, or says so', async () => {
  assert.equal(typeof (await hasFonts()), 'boolean');
});

test('escaping', () => {
  assert.equal(escapeHtml(`<a href="x">'&'</a>`), '&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;');
  const svg = inlineSvg('<svg width="1"><clipPath id="c"/><g clip-path="url(#c)"/></svg>', 'f', 'a "b"');
  assert.equal(
    svg,
    '<svg role="img" aria-label="a &quot;b&quot;" width="1"><clipPath id="f-c"/><g clip-path="url(#f-c)"/></svg>',
  );
});
