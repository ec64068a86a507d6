#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { isatty } from 'node:tty';

// Slurm's warning may come while gnbench still starts. Unheard it would end the process (and SIGUSR1 would open Node's
// debugger), so it waits for a listener.
for (const signal of ['SIGUSR1', 'SIGUSR2']) {
  const heard = () => process.listenerCount(signal) > 1;
  process.on(signal, () => {
    if (heard()) return;
    const again = setInterval(() => {
      if (!heard()) return;
      clearInterval(again);
      process.emit(signal, signal);
    }, 20).unref();
  });
}
// Under nohup, or without any terminal, a terminal that closes is of no concern; Node has reset the ignored signal.
if (![0, 1, 2].some((descriptor) => isatty(descriptor))) process.on('SIGHUP', () => {});

// A clone builds what is stale; the npm package comes with dist/ and without build.js.
const build = new URL('./build.js', import.meta.url);
if (existsSync(build)) await (await import(build)).buildIfStale();
await import('../dist/cli.js');
