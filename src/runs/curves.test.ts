import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../errors.js';
import { diskFileSystem } from '../storage/files.js';
import { RowLog } from '../storage/row-log.js';
import { classificationMeasures } from '../tasks/metric.js';
import { type CurveRow, CurvesLog, curveColumns, openStepsLog, readCurves, readSteps } from './curves.js';

/** How many hostile files are tried. */
const runs = Number(process.env.GNBENCH_FUZZ ?? 1000);

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-curves-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const newFile = () => join(scratch, `${count++}.csv`);
const text = (file: string) => fs.readFileSync(file, 'utf8');
const dropped = (file: string) => text(file.replace('.csv', '.dropped.csv'));

const header =
  'epoch,step,images,learning_rate,train_loss,train_error,val_loss,val_error,images_per_second,seconds\n';

function row(epoch: number): CurveRow {
  return {
    epoch,
    step: epoch * 10,
    images: epoch * 20,
    learning_rate: 0.1 / 3,
    train_loss: 2.3 / epoch,
    train_error: 90 - epoch,
    val_loss: 1e-7,
    val_error: 0,
    images_per_second: 512.25,
    seconds: epoch * 1.5,
  };
}

async function written(epochs: number): Promise<string> {
  const file = newFile();
  const log = CurvesLog.open(file);
  for (let epoch = 1; epoch <= epochs; epoch++) log.append(row(epoch));
  log.close();
  return file;
}

test('rows come back as they were written, each on disk at once', async () => {
  const file = newFile();
  const log = CurvesLog.open(file);
  assert.equal(text(file), header);
  log.append(row(1));
  assert.equal(text(file), `${header}1,10,20,0.03333333333333333,2.3,89,1e-7,0,512.25,1.5\n`);
  log.append(row(2));
  assert.deepEqual(readCurves(file), [row(1), row(2)]);
  assert.deepEqual(log.rows, [row(1), row(2)]);
  log.close();
  assert.equal(`${curveColumns(classificationMeasures).join()}\n`, header);
});

test('an epoch without evaluation has empty cells; NaN and infinity survive', async () => {
  const file = newFile();
  const log = CurvesLog.open(file);
  const { val_loss, val_error, ...trained } = row(1);
  log.append(trained);
  log.append({ ...row(2), train_loss: Number.NaN, val_loss: Number.POSITIVE_INFINITY });
  log.close();
  assert.match(text(file), /,2\.3,89,,,512\.25,/);
  assert.deepEqual(readCurves(file), [
    trained,
    { ...row(2), train_loss: Number.NaN, val_loss: Number.POSITIVE_INFINITY },
  ]);
});

test('any finite row survives to the last bit', async () => {
  const file = newFile();
  const log = CurvesLog.open(file);
  const rows: CurveRow[] = [];
  const number = fc.double({ noNaN: true }).map((value) => value + 0);
  const rest = fc.record({
    learning_rate: number,
    train_loss: number,
    val_error: fc.option(number, { nil: undefined }),
  });
  for (const [index, { val_error, ...values }] of fc.sample(rest, 300).entries()) {
    rows.push({ ...row(index + 1), ...values, ...(val_error === undefined ? {} : { val_error }) });
    log.append(rows[index]);
  }
  log.close();
  assert.deepEqual(readCurves(file), rows);
});

test('a new log does not overwrite one that is there', async () => {
  const file = await written(1);
  assert.throws(
    () => CurvesLog.open(file),
    (error) => error instanceof UserError && /exists/.test(error.message),
  );
  assert.deepEqual(readCurves(file), [row(1)]);
});

test('a resumed run keeps the rows up to its checkpoint and sets the later ones aside', async () => {
  const file = await written(4);
  const log = CurvesLog.open(file, { resumeAtStep: 29 });
  assert.deepEqual(log.rows, [row(1), row(2)]);
  log.append(row(3));
  log.close();
  assert.deepEqual(readCurves(file), [row(1), row(2), row(3)]);
  assert.deepEqual(
    readCurves(file.replace('.csv', '.dropped.csv')).map((kept) => kept.step),
    [30, 40],
  );
  assert.equal(dropped(file).split('\n').length, 4);
});

test('the row of the checkpoint’s own step stays', async () => {
  const file = await written(3);
  const log = CurvesLog.open(file, { resumeAtStep: 30, leastRows: 2 });
  assert.equal(log.rows.length, 3);
  log.close();
  assert.ok(!fs.existsSync(file.replace('.csv', '.dropped.csv')));
});

test('a log that lost epochs the checkpoint has done is refused', async () => {
  const file = await written(2);
  assert.throws(
    () => CurvesLog.open(file, { resumeAtStep: 45, leastRows: 4 }),
    (error) => error instanceof UserError && error.place === file && /2 epochs are there/.test(error.message),
  );
  assert.equal(readCurves(file).length, 2);
  fs.rmSync(file);
  assert.throws(() => CurvesLog.open(file, { resumeAtStep: 45, leastRows: 4 }), UserError);
});

test('killed at any byte: the whole rows are kept, the torn one is set aside, and nothing else changes', async () => {
  const whole = text(await written(3));
  for (let size = 0; size < whole.length; size++) {
    const file = newFile();
    fs.writeFileSync(file, whole.slice(0, size));
    const rows = Math.max(0, whole.slice(0, size).split('\n').length - 2);
    if (size >= header.length) assert.equal(readCurves(file).length, rows);
    const log = CurvesLog.open(file, { resumeAtStep: 1000 });
    assert.equal(log.rows.length, rows, `${size} bytes`);
    for (let epoch = rows + 1; epoch <= 3; epoch++) log.append(row(epoch));
    log.close();
    assert.equal(text(file), whole, `${size} bytes`);
    const torn = whole.slice(0, size).slice(whole.slice(0, size).lastIndexOf('\n') + 1);
    if (rows > 0 && torn) assert.equal(dropped(file), `${header}${torn}\n`);
  }
});

test('what is dropped on several resumes adds up', async () => {
  const file = await written(3);
  for (const step of [20, 10]) CurvesLog.open(file, { resumeAtStep: step }).close();
  assert.deepEqual(
    dropped(file)
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[0]),
    ['3', '2'],
  );
});

test('an error while a row is written says so and names the file', async () => {
  const file = newFile();
  const full = () => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  const format = { columns: ['step'], whole: ['step'], optional: [], syncRows: true };
  let write = diskFileSystem.write;
  const { log } = RowLog.open<{ step: number }>(
    file,
    format,
    {},
    { ...diskFileSystem, write: (...all) => write(...all) },
  );
  log.append({ step: 1 });
  write = (handle, bytes) => (bytes.length > 1 ? diskFileSystem.write(handle, bytes.subarray(0, 1)) : full());
  assert.throws(
    () => log.append({ step: 20 }),
    (error) =>
      error instanceof UserError &&
      error.exitCode === 1 &&
      error.place === file &&
      /no space/.test(error.message),
  );
  log.close();
  const again = RowLog.open<{ step: number }>(file, format, { resumeAtStep: 100 });
  assert.deepEqual(again.rows, [{ step: 1 }]);
  again.log.close();
});

test('another header, a broken row and repeated steps are refused with their line', async () => {
  const cases: [content: string, place: string, message: RegExp][] = [
    ['', ':1', /header/],
    ['epoch,step\n1,2\n', ':1', /header/],
    [`${header}1,10\n${header}`, ':2', /2 cells, not 10/],
    [`${header}1,x,20,0.1,2,89,1,0,512,1\n1,10,20,0.1,2,89,1,0,512,1\n`, ':2', /step is "x", not a number/],
    [`${header}1,-1,20,0.1,2,89,1,0,512,1\n1,10,20,0.1,2,89,1,0,512,1\n`, ':2', /step is -1, not a count/],
    [
      `${header}1,10,20,0.1,,89,1,0,512,1\n1,10,20,0.1,2,89,1,0,512,1\n`,
      ':2',
      /train_loss is "", not a number/,
    ],
    [
      `${header}1,10,20,0.1,2,89,1,0,512,1\n1,10,20,0.1,2,89,1,0,512,1\n`,
      ':3',
      /step 10 does not come after step 10/,
    ],
  ];
  for (const [content, place, message] of cases) {
    const file = newFile();
    fs.writeFileSync(file, content);
    assert.throws(
      () => readCurves(file),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.place, file + place);
        assert.match(error.message, message);
        return true;
      },
    );
    if (content === '') continue;
    assert.throws(() => CurvesLog.open(file, { resumeAtStep: 5 }), UserError);
    assert.equal(text(file), content, 'a log that is refused is left as it is');
  }
  assert.throws(() => readCurves(join(scratch, 'missing.csv')), UserError);
});

test('Windows line ends are read', async () => {
  const file = newFile();
  fs.writeFileSync(file, text(await written(2)).replaceAll('\n', '\r\n'));
  assert.deepEqual(readCurves(file), [row(1), row(2)]);
});

test('a link in the place of the log is not followed', async () => {
  const target = await written(2);
  const before = text(target);
  const file = newFile();
  fs.symlinkSync(target, file);
  assert.throws(() => CurvesLog.open(file), UserError);
  assert.throws(() => CurvesLog.open(file, { resumeAtStep: 10 }), UserError);
  assert.equal(text(target), before);
});

test('whatever the bytes, a log is read or refused with a UserError', async () => {
  const good = Buffer.from(text(await written(3)));
  const file = newFile();
  const mutated = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.concat([Buffer.from(header), bytes])),
    fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 8,
      })
      .map((edits) => {
        const bad = Buffer.from(good);
        for (const [at, byte] of edits) bad[at] = byte;
        return bad;
      }),
    fc
      .tuple(fc.nat(good.length), fc.nat(good.length), fc.string({ unit: 'binary', maxLength: 20 }))
      .map(([a, b, middle]) =>
        Buffer.concat([good.subarray(0, Math.min(a, b)), Buffer.from(middle), good.subarray(Math.max(a, b))]),
      ),
  );
  let read = 0;
  await fc.assert(
    fc.asyncProperty(mutated, async (bytes) => {
      fs.writeFileSync(file, bytes);
      try {
        for (const { epoch, step, train_loss } of readCurves(file)) {
          assert.ok(Number.isSafeInteger(epoch) && Number.isSafeInteger(step));
          assert.equal(typeof train_loss, 'number');
        }
        read++;
      } catch (error) {
        assert.ok(error instanceof UserError, `${error}`);
      }
    }),
    { numRuns: runs },
  );
  assert.ok(read > runs / 30, `${read} of them were read`);
});

test('steps.csv: rows, and a resume at the checkpoint', async () => {
  const file = newFile();
  const log = openStepsLog(file);
  const rows = [1, 2, 3].map((step) => ({ step, epoch: 1, learning_rate: 0.1, loss: 2 / step, error: 50 }));
  for (const each of rows) log.append(each);
  log.sync();
  log.close();
  assert.deepEqual(readSteps(file), rows);
  assert.equal(text(file).split('\n')[0], 'step,epoch,learning_rate,loss,error');
  const again = openStepsLog(file, { resumeAtStep: 2 });
  assert.equal(again.count, 2);
  again.close();
  assert.deepEqual(readSteps(file), rows.slice(0, 2));
});
