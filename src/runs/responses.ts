/** `responses.csv` of a run: how the responses of chosen convolutions are distributed, a row an evaluated epoch. */
import { type RowFormat, readRows } from '../storage/row-format.js';
import { type ResumePoint, RowLog } from '../storage/row-log.js';

/** So many percent of a layer's responses are smaller than a point: those of the paper's Figure 6. */
export const percentiles = [1, 20, 80, 99] as const;

/** A layer's responses at the `percentiles`. */
export type Distribution = readonly number[];

export interface ResponseRow {
  epoch: number;
  step: number;
  /** By the convolution's name. */
  layers: Record<string, Distribution>;
}

const before = ['epoch', 'step'];
const columnOf = (layer: string, percentile: number) => `${layer}_p${percentile}`;
const columnsOf = (layers: readonly string[]): string[] => [
  ...before,
  ...layers.flatMap((layer) => percentiles.map((percentile) => columnOf(layer, percentile))),
];
const formatOf = (columns: string[]): RowFormat => ({ columns, whole: before, optional: [], syncRows: true });

/** `responses.csv`, open for writing. A run that is resumed before an epoch's end goes on behind the epoch before it. */
export class ResponsesLog {
  private constructor(
    private readonly log: RowLog<{ step: number }>,
    private last: number,
  ) {}

  /** @throws UserError for a file that exists (without a point), or is one of other layers */
  static open(file: string, layers: readonly string[], point: ResumePoint = {}): ResponsesLog {
    const { log, rows } = RowLog.open(file, formatOf(columnsOf(layers)), point);
    return new ResponsesLog(log, rows.at(-1)?.step ?? -1);
  }

  /** A row that is there already, since the run was killed between it and its epoch's row in `curves.csv`, is left. */
  append({ epoch, step, layers }: ResponseRow): void {
    if (step <= this.last) return;
    const cells = Object.entries(layers).flatMap(([layer, values]) =>
      percentiles.map((percentile, index) => [columnOf(layer, percentile), values[index]]),
    );
    this.log.append({ epoch, step, ...Object.fromEntries(cells) });
    this.last = step;
  }

  close(): void {
    this.log.close();
  }
}

/** The whole rows of a `responses.csv`. @throws UserError for another header or a broken row */
export function readResponses(file: string): ResponseRow[] {
  let layers: string[] = [];
  const rows = readRows(file, (header) => {
    const last = columnOf('', percentiles[percentiles.length - 1]);
    layers = header.filter((column) => column.endsWith(last)).map((column) => column.slice(0, -last.length));
    return formatOf(columnsOf(layers));
  });
  return rows.map((row) => ({
    epoch: row.epoch!,
    step: row.step!,
    layers: Object.fromEntries(
      layers.map((layer) => [layer, percentiles.map((percentile) => row[columnOf(layer, percentile)]!)]),
    ),
  }));
}
