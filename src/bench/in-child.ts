import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { UserError } from '../errors.js';
import type { BenchSetting } from './measure.js';
import type { BenchRow } from './row.js';

/** Measures a setting in a process of its own, since threads are fixed for a process's life. */
export async function measureInChild(setting: BenchSetting): Promise<BenchRow> {
  const script = fileURLToPath(new URL('./measure.js', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(setting)]);
    return JSON.parse(stdout) as BenchRow;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const reason = /Error: (.*)/.exec(stderr)?.[1] ?? (error as Error).message;
    throw new UserError(`a setting could not be measured: ${reason}`, { exitCode: 1, cause: error });
  }
}
