import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stringify } from 'csv-stringify/sync';
import type { BenchSetting } from '../bench/measure.js';
import type { BenchRow } from '../bench/row.js';
import { parseConfig } from '../config/load.js';
import { printConfig } from '../config/print.js';
import type { Config } from '../config/schema.js';
import { UserError } from '../errors.js';
import { columns } from '../terminal/columns.js';
import { startProgress } from '../terminal/progress.js';

export interface BenchFlags {
  batch: number[];
  batchSize?: number[];
  normalizer: string[];
  model: string;
  precision: string[];
  convolutions: string[];
  set: string[];
  steps: number;
  eager?: boolean;
  format: 'table' | 'csv' | 'json';
  json?: boolean;
  quiet?: boolean;
}

const warmup = 10; // at the least

/**
 * `gnbench bench`: times the training step at each batch size, normalizer, precision and kind of convolutions, each in
 * a process of its own, and beside it the same model without normalizers: what any normalizer could reach. @returns the exit code
 */
export async function bench(flags: BenchFlags): Promise<number> {
  const settings = settingsOf(flags);
  const rows: BenchRow[] = [];
  const progress = startProgress({
    label: 'measuring',
    total: settings.length,
    unit: 'runs',
    quiet: flags.quiet,
  });
  for (const setting of settings) {
    rows.push(await measureInChild(setting));
    const { normalizer, batch, imagesPerSecond } = rows.at(-1)!;
    progress.update(rows.length, `${normalizer}, batch ${batch}: ${imagesPerSecond.toFixed(0)} images/s`);
  }
  progress.stop();
  process.stdout.write(render(withFloor(rows), flags.json ? 'json' : flags.format));
  return 0;
}

function settingsOf({
  batch: given,
  batchSize,
  normalizer,
  model,
  precision,
  convolutions,
  set,
  steps,
  eager = false,
}: BenchFlags): BenchSetting[] {
  const batch = batchSize ?? given;
  for (const assignment of set) {
    const flag = flagOf.get(assignment.split('=')[0].trim());
    if (flag) throw new UserError(`${flag} sets it`, { place: `--set ${assignment}`, fix: `use ${flag}` });
  }
  const text = `model: {name: resnet20}\nnormalizer: {name: none}\ndata: ${imagesFor(model, set)}\n`;
  const cells = precision.flatMap((format) =>
    batch.flatMap((size) =>
      normalizer.flatMap((name) =>
        convolutions.map((kind) => [
          `normalizer.name=${name}`,
          `batch.size=${size}`,
          `precision=${format}`,
          `engine.convolutions=${kind}`,
        ]),
      ),
    ),
  );
  return cells.map((cell) => {
    const overrides = [`model.name=${model}`, ...cell, ...set];
    return { config: printConfig(configOf(text, overrides)), eager, warmup, steps };
  });
}

/**
 * The images that a model was made for, CIFAR's or ImageNet's, unless others are asked for. None is read: a step takes as
 * long on drawn pixels.
 */
function imagesFor(model: string, set: string[]): string {
  const others = set.some((assignment) => /^\s*data(\.name)?\s*=/.test(assignment));
  const photographs = /^(resnet(18|34|50|101|152)|vgg16)$/.test(model);
  return photographs && !others
    ? '{name: image-folder, expect: {classes: 1000, train: 1281167, val: 50000}}'
    : '{name: synthetic}';
}

/** Keys with a flag of their own are measured side by side, and cannot be set once more. */
const flagOf = new Map(
  Object.entries({
    model: '--model',
    'model.name': '--model',
    normalizer: '--normalizer',
    'normalizer.name': '--normalizer',
    batch: '--batch',
    'batch.size': '--batch',
    precision: '--precision',
    'engine.convolutions': '--convolutions',
  }),
);

/** @throws UserError that names the flag which a wrong value came from */
function configOf(text: string, overrides: string[]): Config {
  try {
    return parseConfig(text, { file: 'bench.yaml', overrides });
  } catch (error) {
    const { message, place = '', fix } = error as UserError;
    const flag = flagOf.get(/^--set ([\w.]+)/.exec(place)?.[1] ?? '');
    throw flag ? new UserError(message, { place: flag, fix }) : error;
  }
}

async function measureInChild(setting: BenchSetting): Promise<BenchRow> {
  const script = fileURLToPath(new URL('../bench/measure.js', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(setting)]);
    return JSON.parse(stdout) as BenchRow;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const reason = /Error: (.*)/.exec(stderr)?.[1] ?? (error as Error).message;
    throw new UserError(`a setting could not be measured: ${reason}`, { exitCode: 1, cause: error });
  }
}

/** Adds each row's share of the same setting without normalizers. */
function withFloor(rows: BenchRow[]): BenchRow[] {
  const same = (a: BenchRow, b: BenchRow) =>
    a.batch === b.batch &&
    a.precision === b.precision &&
    a.convolutions === b.convolutions &&
    a.workers === b.workers;
  return rows.map((row) => {
    const floor = rows.find((other) => other.normalizer === 'none' && same(row, other));
    return floor ? { ...row, shareOfFloor: row.imagesPerSecond / floor.imagesPerSecond } : row;
  });
}

function render(rows: BenchRow[], format: BenchFlags['format']): string {
  if (format === 'json') return `${JSON.stringify(rows, null, 2)}\n`;
  const cells = rows.map((row) => ({
    model: row.model,
    resolution: String(row.resolution),
    classes: String(row.classes),
    parameters: String(row.parameters),
    normalizer: row.normalizer,
    batch: row.workers === 1 ? String(row.batch) : `${row.workers}×${row.batch}`,
    precision: row.precision,
    convolutions: row.convolutions,
    threads: `${row.threads.intraOp}/${row.threads.interOp}`,
    'images/s': row.imagesPerSecond.toFixed(0),
    'step ms': row.stepMs.median.toFixed(2),
    q1: row.stepMs.q1.toFixed(2),
    q3: row.stepMs.q3.toFixed(2),
    'of floor': row.shareOfFloor === undefined ? '' : `${(100 * row.shareOfFloor).toFixed(0)} %`,
    'compile s': row.compileSeconds.toFixed(2),
    'peak MB': row.peakMemoryMB.toFixed(0),
  }));
  const table = [Object.keys(cells[0]), ...cells.map((cell) => Object.values(cell))];
  if (format === 'csv') return stringify(table);
  const everyColumn = table[0].map((_, column) => column);
  return `${columns(table, everyColumn)}\n`;
}
