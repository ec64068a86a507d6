import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onStop } from './signals.js';

const signalsModule = new URL('./signals.js', import.meta.url).href;

/** A loop of 20 ms steps that block the thread; on request it takes `saveMs` to finish and then exits as asked. */
async function startLoop(saveMs: number) {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { onStop } from ${JSON.stringify(signalsModule)};
       const stop = onStop(({ signal }) => console.log('heard ' + signal));
       console.log('running');
       const block = (ms) => { for (const end = Date.now() + ms; Date.now() < end; ); };
       const save = async (ms) => { for (const end = Date.now() + ms; Date.now() < end; ) await new Promise(setImmediate); };
       for (;;) {
         block(20);
         await new Promise(setImmediate);
         const asked = stop.requested();
         if (asked) { await save(${saveMs}); console.log('saved'); process.exitCode = asked.exitCode; stop.dispose(); break; }
       }`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  await once(child.stdout, 'data');
  const exit = once(child, 'exit').then(([code]) => code);
  return { child, exit, output: () => output };
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGUSR2', 75],
] as const) {
  test(`${signal}: the step is finished, then exit code ${code}`, async () => {
    const { child, exit, output } = await startLoop(0);
    child.kill(signal);
    assert.equal(await exit, code);
    assert.equal(output(), `running\nheard ${signal}\nsaved\n`);
  });

  test(`a second ${signal} exits at once with ${code}`, async () => {
    const { child, exit, output } = await startLoop(10_000);
    child.kill(signal);
    await sleep(400);
    const start = Date.now();
    child.kill(signal);
    assert.equal(await exit, code);
    assert.ok(Date.now() - start < 2000);
    assert.equal(output(), `running\nheard ${signal}\n`);
  });
}

test('another signal is a second one at once, and its exit code counts', async () => {
  const { child, exit } = await startLoop(10_000);
  child.kill('SIGUSR2');
  await sleep(60);
  child.kill('SIGTERM');
  assert.equal(await exit, 143);
});

test('the same signal twice in a moment, as under npx, is one wish', async () => {
  const { child, exit, output } = await startLoop(500);
  child.kill('SIGINT');
  await sleep(30);
  child.kill('SIGINT');
  assert.equal(await exit, 130);
  assert.equal(output(), 'running\nheard SIGINT\nsaved\n');
});

test('nothing is asked before a signal comes, and dispose takes the handlers away', () => {
  const before = process.listenerCount('SIGTERM');
  const stop = onStop();
  assert.equal(stop.requested(), undefined);
  assert.equal(process.listenerCount('SIGTERM'), before + 1);
  stop.dispose();
  assert.equal(process.listenerCount('SIGTERM'), before);
});
