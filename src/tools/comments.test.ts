import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const source = join(import.meta.dirname, '../../src');

/** Doc comments, and first lines of `//`, whose first word leaves the sentence without a subject. */
function fragments(text: string): string[] {
  const documented = [...text.matchAll(/\/\*\*[\s*]*([^\n]*)/g)].map(([, line]) => line);
  const lines = text.split('\n').map((line) => /^\s*\/\/+ *(.*)$/.exec(line)?.[1]);
  const headings = lines.filter((line, index) => line !== undefined && lines[index - 1] === undefined);
  return [...documented, ...headings].filter((line): line is string =>
    /^(Of|What|Whether|Where|Whose)\b/.test(line ?? ''),
  );
}

test('no comment begins with Of, What, Whether, Where or Whose: each has a noun to begin with', () => {
  const sources = readdirSync(source, { recursive: true }).map(String).sort();
  assert.ok(sources.includes('cli.ts'), 'the sources are not where they are looked for');
  const found = sources
    .filter((path) => /\.(ts|h|cc)$/.test(path))
    .flatMap((path) => fragments(readFileSync(join(source, path), 'utf8')).map((line) => `${path}: ${line}`));
  assert.deepEqual(found, []);
});

test('such a comment is found in TypeScript and in C++', () => {
  assert.deepEqual(fragments(`/** ${'Of'} the loss. */\nconst a = 1;\n\n/**\n * Whether it is.\n */`), [
    'Of the loss. */',
    'Whether it is.',
  ]);
  assert.deepEqual(fragments('// What it is.\n// Of two lines.\nint a;\n  // The sum.\n'), ['What it is.']);
});
