/** Which process on which machine: what a lock is signed with, and how to tell that its owner is gone. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  pid: number;
  host: string;
  /** Which numbering of processes the pid belongs to: this boot of this machine, and this container of it. */
  space: string;
  /**
   * When the process started, in the kernel's ticks; a later process of the same pid has another. Empty where it is
   * not known.
   */
  started: string;
}

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    host: hostname(),
    space: processSpace(),
    started: startOf(process.pid)?.started ?? '',
  };
}

/** True when the process runs; undefined if it runs on another machine or in another container. */
export function isRunning(owner: ProcessIdentity): boolean | undefined {
  if (owner.host !== hostname() || owner.space !== processSpace()) return undefined;
  if (!isAlive(owner.pid)) return false;
  const now = startOf(owner.pid);
  return now === undefined || owner.started === '' || now.started === owner.started;
}

/** True when a process of this pid runs here; one that has ended and waits for its parent to notice does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, under another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !'ZX'.includes(startOf(pid)?.state ?? 'R');
}

/** From /proc/PID/stat (proc(5)): fields 3 and 22, counted behind the name, which may hold anything. */
function startOf(pid: number): { state: string; started: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], started: fields[19] };
  } catch {
    return undefined;
  }
}

function processSpace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}
