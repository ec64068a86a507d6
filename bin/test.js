/**
 * `npm test [-- FILTER…]`: builds what is stale, then runs every test (or those whose path holds a FILTER) with
 * node:test, two files at a time: the engine takes a core of its own. `npm run test:quick` leaves out those that start
 * processes, load the engine or try random cases.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildIfStale } from './build.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
await buildIfStale();

const { quickTests } = await import('../dist/tools/quick-tests.js');
const filters = process.argv.slice(2).filter((argument) => argument !== '--quick');
const all = readdirSync(join(root, 'src'), { recursive: true })
  .map(String)
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => path.replace(/\.ts$/, '.js'))
  .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
  .sort();
const quick = process.argv.includes('--quick');
const tests = (quick ? quickTests(all, join(root, 'dist')) : all).map((path) => join('dist', path));
if (tests.length === 0) {
  // Without a file node:test would look for some by itself.
  console.error(`no test's path holds ${filters.join(' or ')}`);
  process.exit(2);
}

const child = spawn(process.execPath, ['--test', '--test-concurrency=2', ...tests], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
