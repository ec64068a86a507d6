/**
 * The machine's errors: a full disk, a missing right, too many open files. They are never a mistake of the program, and
 * one table says of each what it means and what mends it.
 */
import { getSystemErrorMap } from 'node:util';
import { UserError } from '../errors.js';

const elsewhere =
  'change its permissions, or name another place (--out for a run, GNBENCH_CACHE for the cache)';
const moreRoom = 'free some space, then go on with --resume';
const disk = 'check the disk and what it is mounted from; `dmesg` may say more';
const check = 'check the path';
const network = 'check the network and try again';

/** Each cause by its code, and its mend. What is not here is said in the system's own words. */
const causes: Record<string, [says: string, mend: string]> = {
  ENOSPC: ['no space left on the device', moreRoom],
  EDQUOT: ['the disk quota is used up', moreRoom],
  EFBIG: ['the file is larger than this system allows', 'raise `ulimit -f`, or use another file system'],
  EACCES: ['permission denied', elsewhere],
  EPERM: ['not permitted', elsewhere],
  EROFS: ['the file system is read-only', elsewhere],
  EIO: ['input/output error', disk],
  ENXIO: ['no such device', disk],
  ENODEV: ['no such device', disk],
  ESTALE: ['the network file system lost the file', disk],
  ETXTBSY: ['the file is being run', 'wait until the program that runs it has ended'],
  EBUSY: ['it is in use', 'end the program that uses it, then try again'],
  ENOENT: ['no such file or folder', check],
  ENOTDIR: ['a part of the path is a file, not a folder', check],
  EISDIR: ['it is a folder', check],
  EEXIST: ['it exists already', check],
  ENOTEMPTY: ['the folder is not empty', check],
  EXDEV: ['it lies on another file system', 'keep the folder on one file system'],
  ELOOP: [
    'a symbolic link is in the way, or links lead in a circle',
    'replace the link by a plain file or folder',
  ],
  ENAMETOOLONG: ['the name is too long', 'choose a shorter path'],
  EMFILE: ['too many open files', 'raise `ulimit -n`'],
  ENFILE: ['the machine has too many open files', 'end programs that hold files open'],
  EAGAIN: ['no more processes or threads are allowed', 'raise `ulimit -u`, or end other programs'],
  ENOMEM: ['out of memory', 'close other programs, or use a smaller model'],
  ENOSYS: ['the file system cannot do this', 'name a folder on another file system'],
  ENOTSUP: ['the file system cannot do this', 'name a folder on another file system'],
  EOPNOTSUPP: ['the file system cannot do this', 'name a folder on another file system'],
  ETIMEDOUT: ['it did not answer in time', network],
  ECONNREFUSED: ['the connection was refused', network],
  ECONNRESET: ['the connection was ended from the other side', network],
  ENETUNREACH: ['the network cannot be reached', network],
  ENOTFOUND: ['there is no host of this name', network],
  EAI_AGAIN: ['the host’s name cannot be looked up', network],
  ERR_WORKER_INIT_FAILED: ['a thread could not be started', 'raise `ulimit -n` and `ulimit -u`'],
  ERR_WORKER_OUT_OF_MEMORY: ['a thread ran out of memory', 'close other programs'],
  ERR_FS_FILE_TOO_LARGE: ['the file is larger than 2 GiB', check],
};

const words = new Map(getSystemErrorMap().values());

/** True for what the operating system answered to a call, whatever its code. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && (syscall !== undefined || code in causes || words.has(code));
}

/** A cause in words, its code behind it, and its mend. */
export function causeOf(error: NodeJS.ErrnoException & { code: string }): { says: string; mend: string } {
  const { code } = error;
  const [says, mend] = causes[code] ?? [
    words.get(code) ?? error.message,
    'the operating system refused it; `dmesg` may say more',
  ];
  return { says: `${says} (${code})`, mend };
}

/** The system's error as one that a user can act on; what is none of the system's is thrown on as it is. */
export function fileError(
  error: unknown,
  does: string,
  place: string,
  { exitCode = 1, fix }: { exitCode?: number; fix?: string } = {},
): UserError {
  if (error instanceof UserError) return error;
  if (!isSystemError(error)) throw error;
  const { says, mend } = causeOf(error);
  return new UserError(`${does}: ${says}`, { place, fix: fix ?? mend, exitCode, cause: error });
}
