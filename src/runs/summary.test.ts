import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../errors.js';
import { diskFileSystem } from '../storage/files.js';
import { readSummary, type Summary, writeSummary } from './summary.js';

/** How many hostile files are tried. */
const runs = Number(process.env.GNBENCH_FUZZ ?? 1000);

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-summary-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
const file = join(scratch, 'summary.json');

const summary: Summary = {
  version: 1,
  status: 'completed',
  id: '0123456789ab',
  name: 'resnet-gn-b2',
  seed: 1,
  parameters: 269722,
  epochs: { done: 2, total: 2 },
  steps: { done: 100, total: 100 },
  learningRate: 0.0015625,
  batch: { size: 2, workers: 1 },
  valError: { final: 40, medianLast5: 41.5, best: 39 },
  trainError: { final: 30 },
  trainLoss: { final: 1.2 },
  imagesPerSecond: 512,
  secondsTotal: 100,
  dataWaitShare: 0.01,
  dataset: { name: 'synthetic', official: true },
  finishedAt: '2026-01-01T00:00:00.000Z',
};

const refused = (text: string, message: RegExp) => {
  fs.writeFileSync(file, text);
  assert.throws(
    () => readSummary(file),
    (error) => error instanceof UserError && error.place === file && message.test(error.message),
    text.slice(0, 100),
  );
};

test('a summary is read back as written, replacing the one before', () => {
  writeSummary(file, { ...summary, status: 'running' });
  writeSummary(file, summary);
  assert.deepEqual(readSummary(file), summary);
  assert.deepEqual(fs.readdirSync(scratch), ['summary.json']);
});

test('what does not exist yet or is not finite is null', () => {
  const { finishedAt, ...rest } = summary;
  writeSummary(file, {
    ...rest,
    status: 'diverged',
    valError: { final: null, medianLast5: null, best: null },
    trainLoss: { final: Number.NaN },
    divergedAtStep: 7,
  });
  assert.equal(readSummary(file).trainLoss.final, null);
  assert.equal(readSummary(file).divergedAtStep, 7);
});

test('truncated anywhere, it is refused', () => {
  const text = JSON.stringify(summary);
  for (let length = 0; length < text.length; length++) refused(text.slice(0, length), /not whole JSON/);
});

test('another version, missing fields and wrong types are named', () => {
  refused(JSON.stringify({ ...summary, version: 2 }), /version 2 .*only 1/);
  refused('{}', /version none/);
  refused('null', /version none/);
  refused(
    JSON.stringify({ ...summary, status: 'done', seed: '1', valError: 5 }),
    /status should.*; seed should/,
  );
  refused(JSON.stringify({ ...summary, epochs: { done: 1 } }), /epochs\.total should be of type number/);
  refused(JSON.stringify({ ...summary, failure: 'oops' }), /failure\.kind/);
});

test('a disk that is full leaves the old summary and says so', () => {
  writeSummary(file, summary);
  const files = {
    ...diskFileSystem,
    write: () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    },
  };
  assert.throws(
    () => writeSummary(file, { ...summary, seed: 2 }, files),
    (error) => error instanceof UserError && error.exitCode === 1 && /no space left/.test(error.message),
  );
  assert.deepEqual(readSummary(file), summary);
  assert.deepEqual(fs.readdirSync(scratch), ['summary.json']);
});

test('whatever the bytes, a summary or a UserError', () => {
  const text = JSON.stringify(summary);
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.json().map((json) => Buffer.from(json)),
    fc
      .dictionary(fc.constantFrom(...Object.keys(summary)), fc.jsonValue())
      .map((changes) => Buffer.from(JSON.stringify({ ...summary, ...changes }))),
    fc
      .tuple(fc.nat(text.length - 1), fc.string())
      .map(([at, put]) => Buffer.from(text.slice(0, at) + put + text.slice(at + 1))),
  );
  let sound = 0;
  fc.assert(
    fc.property(hostile, (bytes) => {
      try {
        const read = readSummary(file, { ...diskFileSystem, read: () => bytes });
        assert.equal(typeof read.epochs.done, 'number');
        assert.equal(typeof read.dataset.name, 'string');
        assert.ok(read.valError.final === null || typeof read.valError.final === 'number');
        sound++;
      } catch (error) {
        assert.ok(error instanceof UserError, `${error}`);
      }
    }),
    { numRuns: runs },
  );
  assert.ok(sound > runs / 200, `${sound} were sound`);
});
