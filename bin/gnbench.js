#!/usr/bin/env node
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

await (await import('./build.js')).buildIfStale();
await import('../dist/cli.js');
