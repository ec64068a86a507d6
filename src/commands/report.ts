import { reportFiles } from '../report/artifacts.js';
import { collect } from '../report/collect.js';
import { warnWithoutFonts } from '../report/fonts.js';
import { renderReport } from '../report/report.js';
import { writeFiles } from '../report/write-files.js';

/**
 * `gnbench report EXPERIMENT|DIR…`: one HTML page, with the tables and figures as files beside it in the results folder;
 * with `out`, the page alone in that file. Prints the paths. @returns the exit code
 */
export async function report(
  targets: string | readonly string[],
  options: { out?: string } = {},
): Promise<number> {
  const study = await collect(targets);
  if (!options.out) await warnWithoutFonts();
  const written = options.out
    ? await writeFiles('.', new Map([[options.out, await renderReport(study)]]))
    : await writeFiles(study.folder, await reportFiles(study));
  process.stdout.write(`${written.join('\n')}\n`);
  return 0;
}
