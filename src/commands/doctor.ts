import { cifar10 } from '../datasets/checksums.js';
import { locate, searchedFolders } from '../datasets/download/locate.js';
import { pythonVersion } from '../datasets/download/provide.js';
import { imageLibrary } from '../datasets/image-folder/image-library.js';
import { engineChecks } from '../engine/checks.js';
import { type Check, found, missing } from '../engine/install/check.js';
import { findFfmpeg } from '../engine/install/ffmpeg.js';
import type { UserError } from '../errors.js';

export interface DoctorOptions {
  json?: boolean;
  debug?: boolean;
  /** The folder in which data sets are searched first. */
  dataFolder?: string;
}

/**
 * `gnbench doctor`: what is there, what is missing and the command that mends it.
 * @returns 1 when `gnbench run` could not work, else 0
 */
export async function doctor(options: DoctorOptions = {}): Promise<number> {
  const checks = [
    ...(await engineChecks(options)),
    dataCheck(options.dataFolder),
    await imagesCheck(),
    await ffmpegCheck(),
  ];
  const ok = checks.every((check) => !check.blocks);
  process.stdout.write(options.json ? `${JSON.stringify({ ok, checks }, null, 2)}\n` : text(checks, ok));
  return ok ? 0 : 1;
}

function dataCheck(dataFolder?: string): Check {
  const { name, title, folder } = cifar10;
  const place = locate(folder, dataFolder);
  if (place) return { name, state: 'found', detail: place, blocks: false };
  const python = pythonVersion(cifar10, dataFolder);
  return {
    name,
    state: 'missing',
    detail: `${title} is in none of ${searchedFolders(dataFolder).join(', ')}: the first run that needs it downloads it${python ? ` (${python})` : ''}`,
    fix: `npx gnbench data fetch ${name}`,
    blocks: false,
  };
}

/** Images in folders, and figures as PNG; CIFAR and drawn data do without. */
export async function imagesCheck(): Promise<Check> {
  try {
    const { versions } = await imageLibrary();
    return found('images', `sharp ${versions.sharp}, libvips ${versions.vips}`);
  } catch (error) {
    const { message, fix } = error as UserError;
    return missing('images', `${message}: folders of images cannot be trained on`, fix!, false);
  }
}

/** FFmpeg decodes clips; without it, folders of frames can be trained on all the same. */
async function ffmpegCheck(): Promise<Check> {
  try {
    const ffmpeg = await findFfmpeg();
    if (ffmpeg) return found('ffmpeg', `${ffmpeg.version}, from ${ffmpeg.source}: ${ffmpeg.path}`);
    return missing('ffmpeg', 'clips that are files are decoded by it', 'npx gnbench setup --ffmpeg', false);
  } catch (error) {
    const { message, place, fix } = error as UserError;
    return missing('ffmpeg', `${place}: ${message}`, fix ?? '', false);
  }
}

function text(checks: Check[], ok: boolean): string {
  const lines = checks.map(({ state, name, detail, fix }) => {
    const line = `${state.padEnd(8)} ${name.padEnd(11)} ${detail.trim()}`;
    return fix ? `${line}\n${' '.repeat(21)}-> ${fix}` : line;
  });
  const stopper = checks.find((check) => check.blocks);
  const verdict = ok ? 'gnbench run can work here' : `gnbench run cannot work: ${stopper!.name} is missing`;
  return `${lines.join('\n')}\n${verdict}\n`;
}
