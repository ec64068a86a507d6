import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getSystemErrorMap } from 'node:util';
import { UserError } from '../errors.js';
import { causeOf, fileError, isSystemError } from '../storage/system-errors.js';
import { explain } from './explain.js';

const systemError = (code: string, errno: number) =>
  Object.assign(new Error(`${code}: open '/a/file'`), { code, errno, syscall: 'open', path: '/a/file' });

test('every errno that this system knows is the machine’s, with words and a mend', () => {
  const known = [...getSystemErrorMap()];
  assert.ok(known.length > 50);
  for (const [errno, [code]] of known) {
    const error = systemError(code, errno);
    assert.ok(isSystemError(error));
    const { says, mend } = causeOf(error);
    assert.match(says, new RegExp(`^[a-z].* \\(${code}\\)$`, 'i'), code);
    assert.ok(mend.length > 5);
    const { text, exitCode } = explain(error, false);
    assert.ok(text.startsWith('error: /a/file: '), text);
    assert.doesNotMatch(text, /mistake in gnbench/);
    assert.equal(exitCode, 1);
    const told = fileError(error, 'could not read it', '/a/file', { exitCode: 2 });
    assert.deepEqual([told instanceof UserError, told.exitCode, told.place], [true, 2, '/a/file']);
  }
});

test('the limits on open files and on a file’s size are named', () => {
  for (const [code, mend] of [
    ['EMFILE', /ulimit -n/],
    ['EFBIG', /ulimit -f/],
    ['ENFILE', /files open/],
  ] as const)
    assert.match(causeOf(systemError(code, -1)).mend, mend);
});

test('what is none of the system’s stays a mistake of the program', () => {
  for (const error of [
    new Error('no code'),
    new TypeError('x'),
    Object.assign(new Error('zlib'), { code: 'Z_DATA_ERROR' }),
  ]) {
    assert.ok(!isSystemError(error));
    assert.throws(() => fileError(error, 'could not', 'a'), error);
    assert.match(explain(error, false).text, /mistake in gnbench/);
  }
});
