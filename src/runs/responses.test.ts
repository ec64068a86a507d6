import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../errors.js';
import { ResponsesLog, readResponses } from './responses.js';

const scratch = mkdtempSync(join(tmpdir(), 'gnbench-responses-'));
after(() => rmSync(scratch, { recursive: true }));
const file = (name: string) => join(scratch, name);
const row = (epoch: number, shift = 0) => ({
  epoch,
  step: 10 * epoch,
  layers: { 'stage5.conv3': [-2, -1, 1, 2.5], 'stem.conv': [-4, -3, 3, 4 + shift] },
});
const layers = Object.keys(row(1).layers);

test('what is written is read: a column for each layer and percentile', () => {
  const log = ResponsesLog.open(file('written.csv'), layers);
  log.append(row(1));
  log.append(row(2, 0.25));
  log.close();
  assert.equal(
    readFileSync(file('written.csv'), 'utf8').split('\n')[0],
    'epoch,step,stage5.conv3_p1,stage5.conv3_p20,stage5.conv3_p80,stage5.conv3_p99,stem.conv_p1,stem.conv_p20,stem.conv_p80,stem.conv_p99',
  );
  assert.deepEqual(readResponses(file('written.csv')), [row(1), row(2, 0.25)]);
});

test('a run that goes on sets later rows aside, and does not write a row twice', () => {
  const first = ResponsesLog.open(file('resumed.csv'), layers);
  for (const epoch of [1, 2, 3]) first.append(row(epoch));
  first.close();
  // Killed behind the second epoch's checkpoint and before its row in curves.csv: the epoch is evaluated again.
  const again = ResponsesLog.open(file('resumed.csv'), layers, { resumeAtStep: 20 });
  again.append(row(2));
  again.append(row(3, 1));
  again.close();
  assert.deepEqual(readResponses(file('resumed.csv')), [row(1), row(2), row(3, 1)]);
  assert.deepEqual(readResponses(file('resumed.dropped.csv')), [row(3)]);
});

test('a log of other layers is not gone on with', () => {
  ResponsesLog.open(file('other.csv'), ['stem.conv']).close();
  assert.throws(() => ResponsesLog.open(file('other.csv'), layers, { resumeAtStep: 0 }), UserError);
});
