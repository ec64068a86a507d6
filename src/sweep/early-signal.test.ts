import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** The beginning of bin/gnbench.js, before it loads anything. */
const beginning = readFileSync(new URL('../../bin/gnbench.js', import.meta.url), 'utf8')
  .split('\nawait ')[0]
  .replace(/^#!.*/, '');

/** Runs the beginning and then `rest`, and sends a signal as soon as it says anything. */
async function signalled(
  rest: string,
  sent: NodeJS.Signals = 'SIGUSR2',
): Promise<{ ended: number | string | null; output: string }> {
  const script = `${beginning}\nconsole.log('starting');\n${rest}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    if (output === '') child.kill(sent);
    output += chunk;
  });
  const ended = await new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  );
  return { ended, output };
}

test('a SIGUSR2 that comes while gnbench starts is kept for the command, once', async () => {
  const late = `setTimeout(() => {
    let times = 0;
    process.on('SIGUSR2', (signal) => console.log(++times, signal));
    setTimeout(() => process.kill(process.pid, 'SIGUSR2'), 200);
    setTimeout(() => process.exit(0), 600);
  }, 300);`;
  assert.deepEqual(await signalled(late), { ended: 0, output: 'starting\n1 SIGUSR2\n2 SIGUSR2\n' });
});

test('a command that listens for no signal ends all the same', async () => {
  assert.deepEqual(await signalled('setTimeout(() => {}, 300);'), { ended: 0, output: 'starting\n' });
});

test('without a terminal, a SIGHUP ends nothing, and SIGUSR1 opens no debugger', async () => {
  const rest = "setTimeout(() => console.log(process.debugPort, require('node:inspector').url()), 300);";
  const waits = `import { createRequire } from 'node:module';\nconst require = createRequire('/');\n${rest}`;
  for (const signal of ['SIGHUP', 'SIGUSR1'] as const) {
    const { ended, output } = await signalled(waits, signal);
    assert.deepEqual([ended, output], [0, 'starting\n9229 undefined\n'], signal);
  }
});
