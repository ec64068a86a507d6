import { type CifarVersion, versions } from '../datasets/checksums.js';
import { type CifarFile, readCifarFile } from '../datasets/cifar-file.js';
import { locate, searchedFolders } from '../datasets/download/locate.js';
import { provideCifar, provideImagenette, pythonVersion } from '../datasets/download/provide.js';
import { imagenetteVersions } from '../datasets/imagenette.js';
import { unknownDataset } from '../datasets/index.js';
import { unofficialNote } from '../datasets/official.js';
import { UserError } from '../errors.js';

/** `gnbench data fetch NAME`: downloads the data set into the cache unless it is there. @returns the exit code */
export async function dataFetch(
  name: string,
  options: { data?: string; size?: string; quiet?: boolean } = {},
): Promise<number> {
  if (name === 'imagenette') {
    const version = imagenetteVersions[(options.size ?? '160') as keyof typeof imagenetteVersions];
    const folder = await provideImagenette(version, { dataFolder: options.data, quiet: options.quiet });
    process.stdout.write(`${folder}\n`);
    return 0;
  }
  const version = versionOf(name, 'download');
  if (!version) return 0;
  process.stdout.write(
    `${await provideCifar(version, { dataFolder: options.data, quiet: options.quiet })}\n`,
  );
  return 0;
}

/**
 * `gnbench data verify NAME`: reads every file of the data set and says of each whether it is sound, and whether it is
 * the published one. @returns 0 when a run can use them, else 1
 */
export async function dataVerify(
  name: string,
  options: { data?: string; json?: boolean; annotations?: string; images?: string } = {},
): Promise<number> {
  if (name === 'coco') {
    // Loaded here: it brings the image library.
    const { verifyCoco } = await import('./data-verify-coco.js');
    return verifyCoco(options);
  }
  const version = versionOf(name, 'verify');
  if (!version) {
    if (options.json) process.stdout.write(`${JSON.stringify({ name, sound: true, files: [] }, null, 2)}\n`);
    return 0;
  }
  const folder = locate(version.folder, options.data);
  if (folder === undefined) {
    const python = pythonVersion(version, options.data);
    const searched = `${version.title} is in none of ${searchedFolders(options.data).join(', ')}`;
    throw new UserError(python ? `${searched} (${python})` : searched, {
      place: version.folder,
      fix: `gnbench data fetch ${name}, or name the folder that holds it with --data or $GNBENCH_DATA`,
    });
  }
  const files: Awaited<ReturnType<typeof verifyFile>>[] = [];
  for (const file of [...version.train, ...version.test]) files.push(await verifyFile(version, folder, file));
  const sound = files.every((file) => file.problem === undefined);
  const official = files.every((file) => file.official);
  const note = sound && !official ? await unofficialNote(version, folder) : undefined;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ name, folder, sound, official, note, files }, null, 2)}\n`);
  } else {
    const verdict = (file: (typeof files)[number]) =>
      file.problem ?? (file.official ? 'published file' : 'sound, but not the published file');
    const lines = files.map(
      (file) => `  ${file.file.padEnd(18)} ${file.sha256 ?? '-'.padEnd(64)} ${verdict(file)}`,
    );
    const last = !sound
      ? 'cannot be used'
      : official
        ? 'all files are the published ones'
        : `usable as: ${note}`;
    process.stdout.write(`${version.title} in ${folder}\n${lines.join('\n')}\n${last}\n`);
  }
  return sound ? 0 : 1;
}

async function verifyFile(version: CifarVersion, folder: string, file: string) {
  let read: CifarFile | undefined;
  let problem: string | undefined;
  try {
    read = await readCifarFile(version, folder, file);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problem = error.message;
  }
  return { file, sha256: read?.sha256, official: read?.official ?? false, problem };
}

/** Undefined for data that is drawn: there is nothing to do then, and stderr says so. */
function versionOf(name: string, verb: string): CifarVersion | undefined {
  if (Object.hasOwn(versions, name)) return versions[name];
  if (['image-folder', 'video-folder', 'motion-of-photographs'].includes(name)) {
    throw new UserError(
      `${name} is whatever folders data.train and data.val name: there is nothing to ${verb}`,
      {
        place: name,
        fix: `its ${name === 'video-folder' ? 'clips' : 'images'} are checked when a run begins`,
      },
    );
  }
  if (name === 'imagenette') {
    throw new UserError(
      'its photographs are counted and decoded when a run begins: there is nothing to verify',
      {
        place: name,
        fix: 'gnbench data fetch imagenette checks what it downloads against the published sha256',
      },
    );
  }
  if (name === 'coco') {
    throw new UserError('its images are not downloaded by gnbench', {
      place: name,
      fix: 'get them from cocodataset.org, and name them with data.train, data.trainAnnotations and so on',
    });
  }
  if (!['synthetic', 'synthetic-video', 'shapes'].includes(name)) throw unknownDataset(name);
  process.stderr.write(`${name} data is drawn by gnbench itself: there is nothing to ${verb}\n`);
  return undefined;
}
