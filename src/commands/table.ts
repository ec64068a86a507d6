import { basename, dirname } from 'node:path';
import { collect } from '../analysis/collect.js';
import { didYouMean, UserError } from '../errors.js';
import { writeFiles } from '../report/page/write-files.js';
import { renderTable, type TableFormat, tableFormats } from '../report/tables/table.js';

/**
 * `gnbench table EXPERIMENT|DIR…`: the table made from the runs' curves, on stdout or in a file. @returns the exit
 * code
 */
export async function table(
  targets: string | readonly string[],
  options: { format?: string; json?: boolean; out?: string } = {},
): Promise<number> {
  const format = options.json ? 'json' : checkFormat(options.format ?? 'markdown');
  const text = renderTable(await collect(targets), format);
  if (options.out) await writeFiles(dirname(options.out), new Map([[basename(options.out), text]]));
  else process.stdout.write(text);
  return 0;
}

function checkFormat(format: string): TableFormat {
  const known = tableFormats.find((name) => name === format);
  if (known) return known;
  const near = didYouMean(format, tableFormats);
  throw new UserError(`"${format}" is not a format of tables${near ? `; did you mean ${near}?` : ''}`, {
    place: '--format',
    fix: `one of: ${tableFormats.join(', ')}`,
  });
}
