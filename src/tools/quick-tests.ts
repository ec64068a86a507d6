/**
 * The tests of `npm run test:quick`: those that can start no process and no worker, load no engine and try no random
 * cases, judged by everything that they import. So a test is quick or not by what it does; there is no list to keep.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';

const slowPackages = ['node:child_process', 'node:worker_threads', 'fast-check'];
/** Everything that computes imports this module, but only what imports this name from it loads the engine. */
const engine = { module: 'engine/load.js', name: /\bloadEngine\b/ };

/** The built tests among `tests`, paths below `built`, that are quick. */
export function quickTests(tests: readonly string[], built: string): string[] {
  const named = new Map<string, string[]>();
  const isQuick = (test: string) => {
    const seen = new Set<string>();
    const open = [test];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (slowPackages.includes(path) || path === engine.module) return false;
      if (seen.has(path) || !existsSync(join(built, path))) continue;
      seen.add(path);
      if (!named.has(path)) named.set(path, namedIn(path, built));
      open.push(...named.get(path)!);
    }
    return true;
  };
  return tests.filter(isQuick);
}

/** The modules and packages that a built module imports at run time, workers' files included. */
function namedIn(path: string, built: string): string[] {
  const text = readFileSync(join(built, path), 'utf8').replace(/\/\/# sourceMappingURL=.*/, '');
  const quoted = [...text.matchAll(/(['"`])([\w./:-]+)\1/g)].map(([, , name]) => name);
  return quoted
    .map((name) => (name.startsWith('.') ? join(dirname(path), name) : name))
    .filter((name) => slowPackages.includes(name) || name.endsWith('.js'))
    .filter((name) => name !== engine.module || engine.name.test(text));
}
