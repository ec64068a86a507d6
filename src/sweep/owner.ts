import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, type ProcessIdentity } from '../process/process-identity.js';

const staleAfter = 120_000;

/** Who holds a lock of `lockFolder`, without touching it; undefined when nobody does, or only a dead process. */
export function lockOwner(folder: string, name = 'run.lock'): { pid: number; host: string } | undefined {
  const path = join(folder, name);
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
    const alive = isRunning(owner) ?? Date.now() - statSync(path).mtimeMs < staleAfter;
    return alive ? { pid: owner.pid, host: owner.host } : undefined;
  } catch {
    // Gone, or not written by gnbench: whoever locks it next will see.
    return undefined;
  }
}
