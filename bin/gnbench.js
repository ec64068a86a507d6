#!/usr/bin/env node
await (await import('./build.js')).buildIfStale();
await import('../dist/cli.js');
