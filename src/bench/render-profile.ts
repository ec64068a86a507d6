/** Profiles as text and as lines of CSV. */
import { columns } from '../terminal/columns.js';
import { byKind, type ProfileRow } from './profile.js';
import type { BenchRow } from './row.js';

/** A profile's kinds of work, then its layers. */
export function profileText({ profile = [], ...row }: BenchRow): string {
  const cells = ({ kind, layer, milliseconds, share, gigaflops, gigabytes, ofPeak }: ProfileRow) => [
    kind,
    layer,
    milliseconds.toFixed(2),
    percent(share),
    gigaflops?.toFixed(0) ?? '',
    gigabytes?.toFixed(1) ?? '',
    percent(ofPeak),
  ];
  const head = ['kind', 'layer', 'ms', 'of the step', 'GFLOP/s', 'GB/s', 'of the peak'];
  const right = [2, 3, 4, 5, 6];
  const title = `${row.model}, ${row.resolution}×${row.resolution}, ${row.normalizer}, ${row.workers}×${row.batch}, ${row.precision}, ${row.convolutions}`;
  const tables = [byKind(profile), profile].map((rows) => columns([head, ...rows.map(cells)], right));
  return [title, ...tables].join('\n\n');
}

const percent = (share?: number) => (share === undefined ? '' : `${(100 * share).toFixed(1)} %`);

/** A profile's rows, each with the setting that it is of. The head comes with the first one. */
export function profileCsv({ profile = [], ...row }: BenchRow, index: number): string[][] {
  const setting = {
    model: row.model,
    resolution: row.resolution,
    normalizer: row.normalizer,
    batch: row.batch,
    workers: row.workers,
    precision: row.precision,
    convolutions: row.convolutions,
  };
  const columnsOf = { kind: '', layer: '', milliseconds: 0, share: 0, gigaflops: 0, gigabytes: 0, ofPeak: 0 };
  const names = Object.keys(columnsOf) as (keyof ProfileRow)[];
  const number = (value: string | number | undefined) =>
    typeof value === 'number' ? value.toPrecision(4) : (value ?? '');
  const lines = profile.map((each) => [
    ...Object.values(setting).map(String),
    ...names.map((name) => number(each[name])),
  ]);
  return index === 0 ? [[...Object.keys(setting), ...names], ...lines] : lines;
}
