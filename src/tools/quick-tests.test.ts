import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { quickTests } from './quick-tests.js';

test('a test is quick by what it reaches, however far', (t) => {
  const built = mkdtempSync(join(tmpdir(), 'gnbench-quick-'));
  t.after(() => rmSync(built, { recursive: true }));
  const modules = {
    'engine/load.js': 'import "node:child_process"; export let tf; export function loadEngine() {}',
    'nn/net.js': 'import { tf } from "../engine/load.js";',
    'runs/run.js': 'const run = async () => (await import("../engine/load.js")).loadEngine();',
    'runs/far.js': 'import { run } from "./run.js";',
    'input/ring.js': 'new Worker(new URL("./worker.js", import.meta.url));',
    'input/worker.js': 'import { parentPort } from "node:worker_threads";',
    'a.test.js': 'import { net } from "./nn/net.js";',
    'b.test.js': 'import { far } from "./runs/far.js";',
    'c.test.js': 'import { ring } from "./input/ring.js";',
    'd.test.js': 'import fc from "fast-check";',
    'e.test.js': 'import { spawn } from "node:child_process";',
  };
  for (const [path, text] of Object.entries(modules)) {
    mkdirSync(dirname(join(built, path)), { recursive: true });
    writeFileSync(join(built, path), text);
  }
  const tests = Object.keys(modules).filter((path) => path.includes('.test.'));
  assert.deepEqual(quickTests(tests, built), ['a.test.js']);
});

test('of the tests here many are quick, and those of runs, sweeps and kernels are not', () => {
  const built = join(import.meta.dirname, '..');
  const tests = readdirSync(built, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.test.js'));
  const quick = quickTests(tests, built);
  assert.ok(quick.length > tests.length / 4, `${quick.length} of ${tests.length}`);
  assert.ok(quick.includes('analysis/verdict.test.js'));
  const slow = /^(engine\/kernels|training|sweep\/sweep|normalizers)\b/;
  assert.deepEqual(
    quick.filter((path) => slow.test(path)),
    [],
  );
});
