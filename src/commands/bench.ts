import { measureInChild } from '../bench/in-child.js';
import { renderRows } from '../bench/render-rows.js';
import { type BenchRow, withFloor } from '../bench/row.js';
import { type BenchGrid, benchSettings } from '../bench/settings.js';
import { UserError } from '../errors.js';
import { profilePage } from '../report/page/profile.js';
import { startProgress } from '../terminal/progress.js';

export interface BenchFlags extends BenchGrid {
  batchSize?: number[];
  format: 'table' | 'csv' | 'json' | 'html';
  json?: boolean;
  quiet?: boolean;
}

/**
 * `gnbench bench`: times the training step at each batch size, normalizer, precision and kind of convolutions, each in
 * a process of its own, and beside it the same model without normalizers: what any normalizer could reach. @returns the exit code
 */
export async function bench(flags: BenchFlags): Promise<number> {
  const format = flags.json ? 'json' : flags.format;
  if (format === 'html' && !flags.profile) {
    throw new UserError('a page has nothing to show but profiles', {
      place: '--format html',
      fix: 'add --profile, or choose table, csv or json',
    });
  }
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
  process.stdout.write(format === 'html' ? profilePage(rows) : renderRows(withFloor(rows), format));
  return 0;
}
