import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { table2Trial, trialIn } from '../report/testing/trial-experiment.js';
import { classificationError, type Metric } from '../tasks/metric.js';
import { regenerate } from '../tools/readme.js';
import { type AssessedClaim, assessClaims, type Evidence, experimentCosts } from './claims.js';
import { paperClaims } from './list.js';
import {
  renderAbstractMarkdown,
  renderClaimsMarkdown,
  renderClaimsText,
  renderHeadlineMarkdown,
} from './text.js';

/** A folder of its own with `experiments/` and `results/`, as the working folder. */
function workIn(t: TestContext): string {
  const [root, before] = [mkdtempSync(join(tmpdir(), 'gnbench-claims-')), process.cwd()];
  t.after(() => {
    process.chdir(before);
    rmSync(root, { recursive: true });
  });
  mkdirSync(join(root, 'experiments'));
  writeFileSync(join(root, 'experiments', 'trial.yaml'), table2Trial);
  process.chdir(root);
  return root;
}

const find = (claims: AssessedClaim[], id: string) => claims.find((claim) => claim.id === id)!;

test('every sentence, table and figure has a row, and its id is its own', () => {
  const ids = paperClaims.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const sources = paperClaims.map(({ source }) => source).join();
  for (const table of [1, 2, 3, 7, 8]) assert.match(sources, new RegExp(`Table ${table}`));
  assert.match(sources, /Tables 4 to 6/);
  for (const figure of ['Figure 2', 'Figure 3', 'Figure 4', 'Figures 1 and 5', 'Figure 6', 'Figure 7']) {
    assert.ok(sources.includes(figure), figure);
  }
});

/** The claims with this repository's experiments and results; assessed once, as it takes seconds. */
let assessed: Promise<AssessedClaim[]> | undefined;
const shippedClaims = () => {
  assessed ??= assessClaims();
  return assessed;
};

test('the shipped experiments test the abstract’s claims on classification', async () => {
  const claims = await shippedClaims();
  const names = (id: string) => find(claims, id).tests.map(({ experiment }) => experiment);
  assert.ok(names('abstract-1').includes('reproduction-a-one-worker'));
  assert.ok(names('abstract-1-cause').includes('reproduction-d1-precise-statistics'));
  assert.ok(names('abstract-3').includes('table2-paper'));
  assert.ok(names('abstract-5').includes('reproduction-c-normalizers'));
  assert.ok(names('table-3-groups').includes('table3-groups'));
  assert.ok(!names('abstract-1').includes('reproduction-d2-bfloat16'), 'a control');
  for (const { experiment, hours } of find(claims, 'abstract-1').tests) assert.ok(hours > 0, experiment);
  assert.ok(names('table-7').includes('detection-nuclei-scratch'));
  assert.ok(names('table-7').includes('coco-table7-scratch'), 'GN alone, in two backbones');
  assert.ok(names('table-4-6').includes('detection-nuclei-box-head'));
  assert.ok(names('abstract-6').includes('detection-nuclei-finetune'));
  assert.ok(names('abstract-7').includes('detection-shapes'));
  for (const id of ['abstract-1', 'abstract-2', 'abstract-4']) {
    assert.ok(
      !names(id).some((name) => /^detection-(nuclei|shapes)/.test(name)),
      `${id} is of classification`,
    );
  }
  const lines = find(claims, 'abstract-9').code!.lines;
  assert.ok(lines >= 1 && lines <= 10, `GN is ${lines} lines`);
});

test('every shipped experiment has a cost, also where it only prepares others', async () => {
  const shipped = readdirSync('experiments').filter((name) => name.endsWith('.yaml'));
  const costs = await experimentCosts();
  assert.deepEqual(
    costs.map(({ command }) => command).sort(),
    shipped.map((name) => `gnbench sweep experiments/${name}`).sort(),
  );
  assert.ok(costs.every(({ hours }) => hours > 0));
});

test('no claim is left without the experiments that were made for it', async () => {
  const tested = new Set((await shippedClaims()).filter(({ tests }) => tests.length > 0).map(({ id }) => id));
  for (const { id, supports } of paperClaims) {
    assert.equal(tested.has(id), supports !== undefined, `${id}: which of the shipped experiments test it?`);
  }
});

test('evidence is what the results say so far', async (t) => {
  const root = workIn(t);
  const before = find(await assessClaims(), 'abstract-3');
  assert.deepEqual(before.evidence, []);
  assert.equal(before.tests[0].runs.done, 0);
  const trial = await trialIn(root, table2Trial, 'trial');
  for (const seed of [1, 2, 3]) {
    for (const cell of trial.experiment.cells) {
      const { normalizer, batch } = cell.config;
      const rise = normalizer.name === 'batch' && batch.size === 2 ? 9 + seed / 10 : 0;
      trial.write(cell, seed, 14 + rise);
    }
  }
  const claims = await assessClaims();
  const [evidence] = find(claims, 'abstract-3').evidence;
  assert.equal(evidence.seeds, 3);
  assert.deepEqual(evidence.verdict, { outcome: 'effect', direction: 'agrees', size: 'excluded' });
  assert.ok(evidence.differsFromPaper.some((words) => words.includes('instead of ImageNet')));
  assert.equal(find(claims, 'abstract-3').tests[0].runs.done, 18);
  assert.equal(find(claims, 'abstract-2').evidence.length, 2);
  const line =
    /^- \[`trial`\]\(trial\/table\.md\), 18 of 18 runs done:\n {2}- GN − BN at 2: −9\.20 \[−9\.45, −8\.95\] in 3 seeds, paper −10\.6: agrees/m;
  assert.match(renderClaimsMarkdown(claims), line);
  const headline = renderHeadlineMarkdown(claims, 'trial');
  assert.match(
    headline,
    /^\| At a batch size of 2, .* \(GN − BN at 2\) \| −10\.6 \| −9\.20 \[−9\.45, −8\.95\] \| 3 \|/m,
  );
  assert.match(renderClaimsText(claims), /gnbench sweep experiments\/trial\.yaml/);
  const abstract = renderAbstractMarkdown(claims);
  assert.match(
    abstract,
    /^\| At a batch size of 2, .* \| \[`trial`\]\(trial\/table\.md\) \| GN − BN at 2: −9\.20 .*: agrees/m,
  );
  assert.match(abstract, /^\| … and outperforms the other normalizers \| – \| /m);
});

test('a sentence stands on every experiment with an interval, else on the longest; without a run on none', () => {
  const evidence = (experiment: string, seeds: number): Evidence => ({
    experiment,
    metric: classificationError,
    difference: experiment,
    ours: 1,
    interval: seeds > 1 ? [0.5, 1.5] : undefined,
    seeds,
    verdict: { outcome: 'too few seeds' },
    differsFromPaper: [],
  });
  const command = 'gnbench sweep x.yaml';
  const claim = (found: Evidence[], done = 0): AssessedClaim => ({
    id: 'x',
    source: 'Abstract',
    statement: 'so',
    tests: [{ experiment: 'x', command, hours: 2, runs: { done, planned: 2 } }],
    evidence: found,
  });
  const rows = (found: Evidence[], done?: number) =>
    renderAbstractMarkdown([claim(found, done)])
      .trimEnd()
      .split('\n')
      .slice(2);
  const words = '+1.00 [+0.50, +1.50] in 3 seeds: too few seeds';
  assert.deepEqual(rows([evidence('short', 3), evidence('long', 3), evidence('longest', 1)]), [
    `| so | [\`long\`](long/table.md) | long: ${words} |`,
    `|  | [\`short\`](short/table.md) | short: ${words} |`,
  ]);
  assert.deepEqual(rows([evidence('short', 1), evidence('long', 1)]), [
    '| so | [`long`](long/table.md) | long: +1.00 in 1 seed: too few seeds |',
  ]);
  const fewExamples = { count: 50, unit: 'clips', error: { percent: 38, margin: 13 } } as const;
  assert.match(
    rows([{ ...evidence('few', 1), fewExamples }])[0],
    /few: \+1\.00 in 1 seed on only 50 clips: too/,
  );
  const maskAP: Metric = {
    name: 'maskAP',
    label: 'mask AP',
    unit: 'points',
    better: 'higher',
    aboutEqual: 0.5,
  };
  assert.match(
    rows([{ ...evidence('precise', 3), metric: maskAP }])[0],
    /precise: \+1\.00 \[\+0\.50, \+1\.50\] mask AP \(higher is better\) in 3 seeds: too/,
  );
  const diverged = { ...evidence('x', 0), ours: undefined, verdict: { outcome: 'diverged' } } as const;
  assert.deepEqual(rows([diverged], 2), ['| so | [`x`](x/table.md) | x: a run diverged |']);
  assert.deepEqual(rows([]), [`| so | – | not tested: \`${command}\`: not run yet (about 2 h) |`]);
  const partly = '1 of 2 runs done, none to compare yet';
  assert.deepEqual(rows([], 1), [`| so | – | not tested: \`${command}\`: ${partly} |`]);
  assert.match(renderClaimsMarkdown([claim([], 1)]), new RegExp(`^- \`x\`: ${partly}$`, 'm'));
});

test('a page’s generated parts are made anew, the rest stays', async (t) => {
  const root = workIn(t);
  await trialIn(root, table2Trial, 'trial');
  const page =
    '# x\n<!-- generated: summary trial -->\nold\n<!-- /generated -->\ny\n<!-- generated: claims -->\n<!-- /generated -->\n';
  const fresh = await regenerate(page, 'README.md');
  assert.ok(fresh.startsWith('# x\n<!-- generated: summary trial -->\n\nValidation error in %'));
  assert.ok(fresh.includes('<!-- /generated -->\ny\n'));
  assert.ok(!fresh.includes('old'));
  assert.ok(fresh.includes('\n## Abstract: BN’s error increases'));
  assert.ok(fresh.includes('- `trial`: not run yet (about'));
  assert.ok((await regenerate(fresh, 'README.md')) === fresh, 'once is enough');
  await assert.rejects(regenerate('<!-- generated: claims -->\n', 'x.md'), /not closed/);
  await assert.rejects(
    regenerate('<!-- generated: poem -->\n<!-- /generated -->', 'x.md'),
    /cannot be generated/,
  );
});
