import { measureInChild } from '../bench/in-child.js';
import { renderRows } from '../bench/render-rows.js';
import { type BenchRow, withFloor } from '../bench/row.js';
import { type BenchGrid, benchSettings } from '../bench/settings.js';
import { startProgress } from '../terminal/progress.js';

export interface BenchFlags extends BenchGrid {
  batchSize?: number[];
  format: 'table' | 'csv' | 'json';
  json?: boolean;
  quiet?: boolean;
}

/**
 * `gnbench bench`: times the training step at each batch size, normalizer, precision and kind of convolutions, each in
 * a process of its own, and beside it the same model without normalizers: what any normalizer could reach. @returns the exit code
 */
export async function bench(flags: BenchFlags): Promise<number> {
  const settings = benchSettings({ ...flags, batch: flags.batchSize ?? flags.batch });
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
  process.stdout.write(renderRows(withFloor(rows), flags.json ? 'json' : flags.format));
  return 0;
}
