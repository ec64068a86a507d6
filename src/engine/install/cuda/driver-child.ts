/** The process that `askDriver` starts: a driver that crashes, or hangs, must not take its caller along. */
import process from 'node:process';
import type { CudaDriver } from './driver.js';
import { openedLibraries } from './layout.js';

interface DriverAddon {
  driver(): Omit<CudaDriver, 'libraries'>;
  open(name: string): { path?: string; error?: string };
}

const addon = { exports: {} as DriverAddon };
process.dlopen(addon, process.argv[2]);
const libraries = Object.fromEntries(openedLibraries.map((name) => [name, addon.exports.open(name)]));
process.stdout.write(JSON.stringify({ ...addon.exports.driver(), libraries } satisfies CudaDriver));
