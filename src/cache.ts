import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/**
 * The one folder that gnbench writes to besides a run's own: the engine, downloaded data, decoded images.
 * `$GNBENCH_CACHE`, else `$XDG_CACHE_HOME/gnbench`, else `~/.cache/gnbench`. It need not exist yet.
 */
export function cacheFolder(): string {
  if (process.env.GNBENCH_CACHE) return resolve(process.env.GNBENCH_CACHE);
  const xdg = process.env.XDG_CACHE_HOME;
  // The XDG base directory specification: a relative path is to be ignored.
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'gnbench');
}
