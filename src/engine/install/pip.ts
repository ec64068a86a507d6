/** Fetches pinned wheels with pip: it knows the user's proxies, mirrors and certificates, and checks the hashes. */
import { readdir, stat, statfs, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { cacheFolder } from '../../cache.js';
import { UserError } from '../../errors.js';
import { makeFolders } from '../../storage/files.js';
import { startProgress } from '../../terminal/progress.js';
import { sha256Of } from './checksum.js';
import { lastLines, runCommand } from './command.js';
import { installCommand } from './platform.js';
import { python, type Wheel } from './wheels.js';

export interface Pip {
  /** The program whose module pip is. */
  python: string;
  /** pip's version. */
  version: string;
}

export interface PipOptions {
  quiet?: boolean;
  debug?: boolean;
  signal?: AbortSignal;
}

/** The first Python 3 on the PATH that has pip; else what is missing. */
export async function findPip(): Promise<Pip | { missing: 'python' | 'pip' }> {
  let found = false;
  for (const name of process.platform === 'win32' ? ['py', 'python'] : ['python3', 'python']) {
    // Python takes modules from the working folder first: a token.py of the user's would be run, and hide pip.
    const options = { env: pipEnvironment(), cwd: parse(process.execPath).root };
    const result = await runCommand(name, ['-m', 'pip', '--version'], options).catch(() => undefined);
    const version = /^pip (\S+) .*\(python 3/m.exec(result?.stdout ?? '')?.[1];
    if (version) return { python: name, version };
    // 126 and 127: a launcher without the program it launches.
    found ||= result !== undefined && result.code !== 126 && result.code !== 127;
  }
  return { missing: found ? 'pip' : 'python' };
}

/**
 * Downloads one wheel into `folder` and returns its path, once its sha256 is the pinned one.
 * @throws UserError when Python, pip, network or room is missing, or the checksum is another one.
 */
export async function downloadWheel(wheel: Wheel, folder: string, options: PipOptions = {}): Promise<string> {
  const pip = await findPip();
  if ('missing' in pip) throw missingPip(pip.missing);
  const scratch = join(folder, 'pip');
  makeFolders(scratch);
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  const { version, implementation, abi } = python;
  const tags = ['--python-version', version, '--implementation', implementation, '--abi', abi];
  const target = ['--dest', folder, '--only-binary=:all:', '--platform', wheel.platform, ...tags];
  const behaviour = [
    '--no-deps',
    '--require-hashes',
    '--no-cache-dir',
    '--no-input',
    '--disable-pip-version-check',
  ];
  const progress = startProgress({
    label: `downloading ${wheel.name} ${wheel.version}`,
    total: wheel.size,
    unit: 'bytes',
    quiet: options.quiet,
  });
  // pip's own bar is on or off only; the growing file in its scratch folder says as much.
  const timer = setInterval(
    () => downloaded(folder).then((size) => progress.update(Math.min(size, wheel.size))),
    250,
  );
  const result = await runCommand(
    pip.python,
    [
      '-m',
      'pip',
      'download',
      ...behaviour,
      '--progress-bar',
      'off',
      '--retries',
      '3',
      ...target,
      '-r',
      requirements,
    ],
    {
      cwd: folder,
      env: { ...pipEnvironment(), TMPDIR: scratch },
      signal: options.signal,
      debug: options.debug,
    },
  ).finally(() => {
    clearInterval(timer);
    progress.stop();
  });
  const file = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (result.code !== 0 || !file) throw await explain(result.stdout + result.stderr, wheel, folder);
  const path = join(folder, file);
  const found = await sha256Of(path);
  if (found !== wheel.sha256) throw wrongChecksum(wheel, found);
  return path;
}

function pipEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PIP_REQUIRE_VIRTUALENV: 'false',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONIOENCODING: 'utf-8',
  };
}

async function downloaded(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = names
    .filter((name) => name.endsWith('.whl'))
    .map((name) =>
      stat(join(folder, name)).then(
        (facts) => facts.size,
        () => 0,
      ),
    );
  return Math.max(0, ...(await Promise.all(sizes)));
}

export function missingPip(missing: 'python' | 'pip'): UserError {
  const what = missing === 'python' ? 'Python 3 with pip is' : 'pip is';
  return new UserError(`${what} missing: it downloads TensorFlow's library (nothing of Python runs later)`, {
    fix: installCommand('pip'),
    exitCode: 1,
  });
}

function wrongChecksum(wheel: Wheel, found?: string): UserError {
  return new UserError(
    `${wheel.name} ${wheel.version} is not the pinned file: its sha256 is ${found ?? 'another one'}, not ${wheel.sha256}`,
    { fix: 'it was not used; look at the package index that pip is set to: pip config list', exitCode: 1 },
  );
}

const offline =
  /name resolution|getaddrinfo|NewConnectionError|ConnectTimeout|Max retries|Connection (refused|broken|reset)|Read timed out|ProxyError|unreachable|RemoteDisconnected/i;

async function explain(output: string, wheel: Wheel, folder: string): Promise<UserError> {
  const cause = new Error(lastLines(output, 20));
  const wheelName = `${wheel.name} ${wheel.version}`;
  if (/DO NOT MATCH THE HASHES/i.test(output)) {
    return wrongChecksum(wheel, /Got\s+([0-9a-f]{64})/.exec(output)?.[1]);
  }
  const room = await statfs(folder).then(
    (facts) => facts.bavail * facts.bsize,
    () => Number.POSITIVE_INFINITY,
  );
  if (/No space left on device|Disk quota exceeded/i.test(output) || room < 2 ** 20) {
    return new UserError('the disk that holds the cache is full', {
      place: cacheFolder(),
      fix: 'set GNBENCH_CACHE to a folder with the room',
      exitCode: 1,
      cause,
    });
  }
  const elsewhere = `or, with the file from a machine that has network: PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER npx gnbench setup`;
  if (offline.test(output)) {
    return new UserError(`${wheelName} could not be downloaded: no connection to the package index`, {
      fix: `check network and proxy (HTTPS_PROXY), ${elsewhere}`,
      exitCode: 1,
      cause,
    });
  }
  if (/No matching distribution|Could not find a version/i.test(output)) {
    return new UserError(`pip's package index does not have ${wheelName} for ${wheel.platform}`, {
      fix: `look at the index that pip is set to (pip config list), ${elsewhere}`,
      exitCode: 1,
      cause,
    });
  }
  return new UserError(`pip could not download ${wheelName}: ${lastLines(output, 3)}`, {
    fix: 'npx gnbench setup --debug shows all that pip says',
    exitCode: 1,
    cause,
  });
}
