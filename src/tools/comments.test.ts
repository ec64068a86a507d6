import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const source = join(import.meta.dirname, '..');

/** The most such comments that each folder may still have; the numbers only ever go down. */
const known: Record<string, number> = {
  bench: 1,
  claims: 3,
  engine: 32,
  input: 6,
  models: 5,
  nn: 6,
  normalizers: 3,
  paper: 3,
  process: 2,
  random: 1,
  report: 9,
  runs: 19,
  storage: 3,
  terminal: 2,
  training: 10,
};

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
  const found: Record<string, string[]> = {};
  for (const path of readdirSync(source, { recursive: true }).map(String).sort()) {
    if (!/\.(ts|h|cc)$/.test(path)) continue;
    for (const line of fragments(readFileSync(join(source, path), 'utf8'))) {
      const folder = path.split('/')[0];
      found[folder] = [...(found[folder] ?? []), `${path}: ${line}`];
    }
  }
  for (const [folder, lines] of Object.entries(found)) {
    assert.ok(lines.length <= (known[folder] ?? 0), `src/${folder}:\n${lines.join('\n')}`);
  }
});

test('such a comment is found in TypeScript and in C++', () => {
  assert.deepEqual(fragments(`/** ${'Of'} the loss. */\nconst a = 1;\n\n/**\n * Whether it is.\n */`), [
    'Of the loss. */',
    'Whether it is.',
  ]);
  assert.deepEqual(fragments('// What it is.\n// Of two lines.\nint a;\n  // The sum.\n'), ['What it is.']);
});
