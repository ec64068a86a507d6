import { eachOf } from '../process/each-of.js';
import type { CifarVersion } from './checksums.js';
import { type CifarFile, readCifarFile, recordBytes } from './cifar-file.js';
import { chosenClasses, namesOfClasses, relabel } from './classes.js';
import { type Dataset, emptySplit, type Split } from './dataset.js';
import { unofficialNote } from './official.js';
import type { DataConfig } from './schema.js';
import { chooseImages } from './subset.js';

const side = 32;
const plane = side * side;

/**
 * Reads CIFAR's binary version from `folder`: records of a label (CIFAR-100: two) and 32×32 red, green and blue planes.
 * The images of the result are [count, 32, 32, 3].
 *
 * @throws {UserError} when a file is missing, not of the one possible size, or holds a label that is no class; for
 *   `classes` that are none
 */
export async function readCifar(version: CifarVersion, folder: string, config: DataConfig): Promise<Dataset> {
  const known = { count: version.classes, names: version.classNames };
  const classes = chosenClasses(config.classes, known);
  const classNames = namesOfClasses(classes, known);
  const names = [...version.train, ...version.test];
  const files = await eachOf(names.length, names.length, (file) =>
    readCifarFile(version, folder, names[file]),
  );
  const train = files.slice(0, version.train.length);
  const test = files.slice(version.train.length);
  const trainLabels = relabel(labelsOf(version, train), classes);
  const testLabels = relabel(labelsOf(version, test), classes);
  const { train: chosen, validation } = chooseImages(config, trainLabels, testLabels);
  const official = files.every((file) => file.official);
  return {
    name: version.name,
    classes: classes.length,
    ...(classNames && { classNames }),
    shape: [side, side, 3],
    mean: version.mean,
    std: version.std,
    train: gather(version, train, trainLabels, chosen),
    validation:
      validation.from === 'test'
        ? gather(version, test, testLabels, validation.indices)
        : gather(version, train, trainLabels, validation.indices),
    checksums: Object.fromEntries(files.map((file) => [file.name, file.sha256])),
    official,
    ...(official ? {} : { note: await unofficialNote(version, folder) }),
  };
}

function labelsOf(version: CifarVersion, files: CifarFile[]): Uint8Array {
  const step = recordBytes(version);
  const counts = files.map((file) => file.records.length / step);
  const labels = new Uint8Array(counts.reduce((sum, count) => sum + count, 0));
  let filled = 0;
  for (const { records } of files) {
    for (let at = version.labelAt; at < records.length; at += step) labels[filled++] = records[at];
  }
  return labels;
}

/** The chosen records as a split: planes to interleaved channels. */
function gather(version: CifarVersion, files: CifarFile[], labels: Int32Array, chosen: Uint32Array): Split {
  const step = recordBytes(version);
  const starts: number[] = [];
  let total = 0;
  for (const { records } of files) {
    starts.push(total);
    total += records.length / step;
  }
  const split = emptySplit(chosen.length, 3 * plane);
  for (let i = 0; i < chosen.length; i++) {
    const index = chosen[i];
    split.labels[i] = labels[index];
    let file = starts.length - 1;
    while (starts[file] > index) file--;
    interleave(files[file].records, (index - starts[file]) * step + version.labelBytes, split.images, i);
  }
  return split;
}

function interleave(records: Buffer, from: number, images: Uint8Array, image: number): void {
  let to = image * 3 * plane;
  for (let pixel = from; pixel < from + plane; pixel++, to += 3) {
    images[to] = records[pixel];
    images[to + 1] = records[pixel + plane];
    images[to + 2] = records[pixel + 2 * plane];
  }
}
