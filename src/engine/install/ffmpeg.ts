/**
 * FFmpeg, which decodes clips as a child process: the one that $GNBENCH_FFMPEG names, else the one on the PATH, else a
 * build from PyPI, pinned and checked like the engine, in the cache.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { runCommand } from './command.js';
import { downloadWheel, type PipOptions } from './pip.js';
import { engineFolder, publish, readComplete, storeAlone } from './store.js';
import { unpack } from './unpack.js';
import { pins, type Wheel } from './wheels.js';

export interface Ffmpeg {
  path: string;
  /** The place where it was found. */
  source: 'GNBENCH_FFMPEG' | 'PATH' | 'wheel';
  /** Its version, as it prints it. */
  version: string;
}

const wheel: Wheel = {
  name: 'imageio-ffmpeg',
  why: 'FFmpeg as one program, which decodes clips',
  version: '0.8.1',
  platform: 'manylinux_2_28_x86_64',
  size: 67_998_402,
  unpacked: 172_692_552,
  sha256: '050d6850601c3b3890bd2b28306f3b842b3daea390a561101174375a1c460bda',
};
const program = 'imageio_ffmpeg/binaries/ffmpeg-linux-x86_64-v9.0.2';
const folderName = `${wheel.name}-${wheel.version}`;

/**
 * The FFmpeg that is there, without a download; undefined where there is none.
 * @throws UserError when $GNBENCH_FFMPEG names a program that is not FFmpeg
 */
export async function findFfmpeg(): Promise<Ffmpeg | undefined> {
  const named = process.env.GNBENCH_FFMPEG;
  if (named) {
    const version = await versionOf(named);
    if (version) return { path: named, source: 'GNBENCH_FFMPEG', version };
    throw new UserError('$GNBENCH_FFMPEG is not a program that answers as FFmpeg does', {
      place: named,
      fix: 'name the program ffmpeg itself, or unset it to use the one on the PATH',
    });
  }
  const onPath = await versionOf('ffmpeg');
  if (onPath) return { path: 'ffmpeg', source: 'PATH', version: onPath };
  const folder = join(engineFolder(), folderName);
  if (!(await readComplete(folder))) return undefined;
  const path = join(folder, program);
  const version = await versionOf(path);
  return version === undefined ? undefined : { path, source: 'wheel', version };
}

/** Its path. @throws UserError that says how to get one, where there is none */
export async function ffmpegPath(): Promise<string> {
  const found = await findFfmpeg();
  if (found) return found.path;
  throw new UserError('clips are decoded by FFmpeg, and there is none', {
    fix: 'gnbench setup --ffmpeg, or name one with $GNBENCH_FFMPEG',
  });
}

/**
 * The same, fetched into the cache where there is none.
 * @throws UserError where it cannot be: no network, no room, another platform
 */
export async function provideFfmpeg(options: PipOptions = {}): Promise<Ffmpeg> {
  const found = await findFfmpeg();
  if (found) return found;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new UserError('there is no FFmpeg on the PATH', {
      fix: 'install it with the package manager of this system, or name it with $GNBENCH_FFMPEG',
      exitCode: 1,
    });
  }
  const say = (line: string) => void (options.quiet || process.stderr.write(`${line}\n`));
  await storeAlone((signal) => fetchFfmpeg({ ...options, signal }), { what: 'FFmpeg', say });
  const provided = await findFfmpeg();
  if (provided) return provided;
  throw new UserError('the FFmpeg that was fetched does not run here', {
    place: join(engineFolder(), folderName),
    fix: 'install FFmpeg with the package manager of this system',
    exitCode: 1,
  });
}

async function fetchFfmpeg(options: PipOptions): Promise<void> {
  // Another process may have fetched it while this one waited.
  if (await findFfmpeg()) return;
  await publish(folderName, async (folder) => {
    const downloads = join(folder, 'downloads');
    const path = await downloadWheel(wheel, downloads, options);
    const label = `unpacking ${wheel.name} ${wheel.version}`;
    const files = await unpack(path, folder, { ...options, label, choose: (name) => name === program });
    await rm(downloads, { recursive: true });
    return { facts: pins([wheel]), files };
  });
}

async function versionOf(path: string): Promise<string | undefined> {
  const result = await runCommand(path, ['-hide_banner', '-version']).catch(() => undefined);
  return /^ffmpeg version (\S+)/m.exec(result?.stdout ?? '')?.[1];
}
