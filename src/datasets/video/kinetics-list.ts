/**
 * Kinetics' own lists: `train.csv` with the columns `label`, `youtube_id`, `time_start` and `time_end`, its files in the
 * folder `train` beside it, named `ID_000010_000020.mp4` as their downloaders do.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { UserError } from '../../errors.js';
import { fileError } from '../../storage/system-errors.js';
import type { ImageList } from '../image-folder/list.js';

/** A list, and how many of its clips have no file: many of Kinetics' videos are gone. */
export interface KineticsList extends Omit<ImageList, 'passedOver'> {
  gone: number;
}

/** @throws {UserError} for a list that cannot be read or is none, and for a class of which no file is left */
export function kineticsList(file: string, key: string, isClip: (name: string) => boolean): KineticsList {
  const place = `${key}: ${file}`;
  const root = file.replace(/\.csv$/i, '');
  const [head = [], ...rows] = read(file, place, (path) => readFileSync(path, 'utf8'))
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map(cellsOf);
  const columns = ['label', 'youtube_id', 'time_start', 'time_end'].map((name) => head.indexOf(name));
  if (columns.some((column) => column < 0)) {
    throw new UserError('is no list of Kinetics', {
      place,
      fix: 'its first line names the columns label, youtube_id, time_start and time_end',
    });
  }
  const present = new Map(
    read(root, place, (folder) => readdirSync(folder))
      .filter(isClip)
      .map((name) => [name.replace(/\.[^.]+$/, ''), name]),
  );
  const listed = rows.map((row) => {
    const [label, id, start, end] = columns.map((column) => row[column] ?? '');
    const stem = `${id}_${start.padStart(6, '0')}_${end.padStart(6, '0')}`;
    return { label, path: present.get(stem) ?? present.get(id) };
  });
  // By code units: the order of labels must not depend on the language of the machine.
  const classes = [...new Set(listed.map(({ label }) => label))].sort();
  const found = listed.flatMap(({ label, path }) => (path === undefined ? [] : [{ label, path }]));
  const left = new Set(found.map(({ label }) => label));
  const lost = classes.find((name) => !left.has(name));
  if (lost !== undefined || found.length === 0) {
    throw new UserError(`of a class no clip is there: ${lost ?? 'the list is empty'}`, {
      place: `${key}: ${root}`,
      fix: 'put its files there, named ID_000010_000020.mp4, or take the class out of the list',
    });
  }
  const labels = new Map(classes.map((name, label) => [name, label]));
  return {
    root,
    classes,
    paths: found.map(({ path }) => path),
    labels: Int32Array.from(found, ({ label }) => labels.get(label)!),
    gone: listed.length - found.length,
  };
}

function read<Content>(path: string, place: string, action: (path: string) => Content): Content {
  try {
    return action(path);
  } catch (error) {
    throw fileError(error, 'cannot be read', `${place}${place.endsWith(path) ? '' : `, ${path}`}`, {
      exitCode: 2,
    });
  }
}

/** A line's cells; one in double quotes may hold commas, and two of them for one. */
const cellsOf = (line: string): string[] =>
  Array.from(line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g), ([, quoted, plain]) =>
    (quoted?.replaceAll('""', '"') ?? plain).trim(),
  );
