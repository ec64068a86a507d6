/** Table 3's ends, from the experiments' own cells: GN with one group is LN, with one channel a group IN, to the last digit. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { printConfig } from '../config/print.js';
import type { Cell } from './cells.js';
import { loadExperiment } from './experiment.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'gnbench-extremes-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const small = ['data.name=synthetic', 'data.trainSubset=96', 'data.valSubset=64', 'batch.size=8', 'epochs=2'];

/** The numbers of the curves of a run of the cell, but for times. */
function curves(cell: Cell, overrides: string[]): string[][] {
  const name = `${cell.key}${overrides.join()}`.replace(/[^\w-]/g, '_');
  const file = join(scratch, `${name}.yaml`);
  writeFileSync(file, printConfig(cell.config));
  const sets = overrides.flatMap((override) => ['--set', override]);
  const out = join(scratch, name);
  const args = ['run', file, '--out', out, '--quiet', '--set', 'engine.intraOpThreads=1', ...sets];
  execFileSync(process.execPath, [join(root, 'bin', 'gnbench.js'), ...args]);
  const rows = parse(readFileSync(join(out, 'curves.csv'))) as string[][];
  const kept = rows[0].map((column) => !['seconds', 'images_per_second'].includes(column));
  return rows.map((row) => row.filter((_, column) => kept[column]));
}

for (const { experiment, end, same } of [
  { experiment: 'table3-groups', end: { groups: 1 }, same: 'layer' },
  { experiment: 'table3-channels-per-group', end: { channelsPerGroup: 1 }, same: 'instance' },
]) {
  test(`${experiment} at 1 is normalizer: ${same}, digit by digit`, async () => {
    const { cells } = await loadExperiment(join(root, 'experiments', `${experiment}.yaml`), { set: small });
    const [[key, value]] = Object.entries(end);
    const cell = cells.find(({ config }) => (config.normalizer as Record<string, unknown>)[key] === value)!;
    const asGroups = curves(cell, []);
    assert.equal(asGroups.length, 3); // a head and two epochs
    assert.deepEqual(asGroups, curves(cell, [`normalizer={name: ${same}}`]));
    const other = cells.find(({ config }) => (config.normalizer as Record<string, unknown>)[key] !== value)!;
    assert.notDeepEqual(asGroups, curves(other, []));
  });
}
