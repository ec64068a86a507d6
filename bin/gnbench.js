#!/usr/bin/env node
import { existsSync } from 'node:fs';

// Slurm's warning may come while gnbench still starts. Unheard it would end the process, so it waits for a listener.
const heard = () => process.listenerCount('SIGUSR2') > 1;
process.on('SIGUSR2', () => {
  if (heard()) return;
  const again = setInterval(() => {
    if (!heard()) return;
    clearInterval(again);
    process.emit('SIGUSR2', 'SIGUSR2');
  }, 20).unref();
});

// A clone builds what is stale; the npm package comes with dist/ and without build.js.
const build = new URL('./build.js', import.meta.url);
if (existsSync(build)) await (await import(build)).buildIfStale();
await import('../dist/cli.js');
