import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { listenForStop, onStop } from './signals.js';

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
  ['SIGUSR1', 75],
  ['SIGUSR2', 75],
] as const) {
  test(`${signal}: the step is finished, then exit code ${code}`, async () => {
    const { child, exit, output } = await startLoop(0);
    child.kill(signal);
    assert.equal(await exit, code);
    assert.equal(output(), `running\nheard ${signal}\nsaved\n`);
  });
}

test('another signal while the run is saving exits at once, and its code counts', async () => {
  const { child, exit, output } = await startLoop(Number.POSITIVE_INFINITY);
  child.kill('SIGUSR2');
  while (!output().includes('heard SIGUSR2')) await once(child.stdout, 'data');
  child.kill('SIGTERM');
  assert.equal(await exit, 143);
  assert.equal(output(), 'running\nheard SIGUSR2\n');
});

/** Listens to signals that the test sends, at the times that it says. */
function listening({ terminal = false } = {}) {
  const heard: string[] = [];
  let time = 1000;
  const signals = new EventEmitter();
  const dispose = listenForStop(
    {
      first: ({ signal, exitCode }) => heard.push(`first ${signal} ${exitCode}`),
      second: () => heard.push('second'),
    },
    { signals, now: () => time, terminal, exit: (code) => heard.push(`exit ${code}`) },
  );
  const send = (signal: string, after = 0) => {
    time += after;
    signals.emit(signal, signal);
  };
  return { heard, send, signals, dispose };
}

test('without a terminal SIGHUP is nobody’s wish; with one it is a wish, however often it is sent', () => {
  const nohup = listening();
  nohup.send('SIGHUP');
  nohup.send('SIGHUP', 5000);
  assert.deepEqual(nohup.heard, []);
  nohup.send('SIGTERM', 5000);
  assert.deepEqual(nohup.heard, ['first SIGTERM 143']);
  const closed = listening({ terminal: true });
  closed.send('SIGHUP');
  closed.send('SIGHUP', 5000);
  assert.deepEqual(closed.heard, ['first SIGHUP 129']);
});

test('the same signal twice in a moment, as under npx, is one wish; later it is a second one', () => {
  const { heard, send } = listening();
  send('SIGINT');
  send('SIGINT', 30);
  send('SIGINT', 60);
  assert.deepEqual(heard, ['first SIGINT 130']);
  send('SIGINT', 11);
  assert.deepEqual(heard, ['first SIGINT 130', 'second', 'exit 130']);
});

test('another signal is a second one at once', () => {
  const { heard, send } = listening();
  send('SIGUSR2');
  send('SIGTERM');
  assert.deepEqual(heard, ['first SIGUSR2 75', 'second', 'exit 143']);
});

test('listeners that are taken away hear nothing', () => {
  const { heard, send, signals, dispose } = listening();
  dispose();
  send('SIGINT');
  assert.deepEqual(heard, []);
  assert.deepEqual(signals.eventNames(), []);
});

test('nothing is asked before a signal comes, and dispose takes the handlers away', () => {
  const before = process.listenerCount('SIGTERM');
  const stop = onStop();
  assert.equal(stop.requested(), undefined);
  assert.equal(process.listenerCount('SIGTERM'), before + 1);
  stop.dispose();
  assert.equal(process.listenerCount('SIGTERM'), before);
});
