import { writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';

/**
 * Passes this process's nice value on to a process in a session of its own. Linux shares the cores out among sessions
 * first (sched_autogroup), so that `nice gnbench sweep` would slow nothing but itself.
 */
export function keepPriority(pid: number): void {
  const nice = getPriority();
  if (nice <= 0) return;
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(nice));
  } catch {
    // Not Linux, a kernel without it, or the process is gone: its own nice value is what counts then.
  }
}
