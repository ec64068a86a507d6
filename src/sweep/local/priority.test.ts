import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { it } from 'node:test';

const skip = !existsSync('/proc/self/autogroup');

it('a niced sweep keeps its runs niced', { skip }, () => {
  const script = `
    import { spawn } from 'node:child_process';
    import { readFileSync } from 'node:fs';
    import { keepPriority } from '${new URL('./priority.js', import.meta.url)}';
    const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    keepPriority(child.pid);
    console.log(readFileSync('/proc/' + child.pid + '/autogroup', 'utf8'));
    child.kill('SIGKILL');
  `;
  const run = (nice: string) =>
    spawnSync('nice', ['-n', nice, process.execPath, '--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
  assert.match(run('7').stdout, new RegExp(`nice ${Math.min(19, getPriority() + 7)}$`, 'm'));
});
