import { basename, dirname } from 'node:path';
import { collect, experimentResults, requirePlace } from '../analysis/collect.js';
import { UserError } from '../errors.js';
import { warnWithoutFonts } from '../report/figures/render.js';
import { reportFiles } from '../report/page/artifacts.js';
import { renderReport } from '../report/page/report.js';
import { printPaths, writeFiles } from '../report/page/write-files.js';

/**
 * `gnbench report EXPERIMENT|DIR…`: one HTML page, with the tables and figures as files beside it in the results folder;
 * with `out`, the page alone in that file. Without a target, that of every experiment in `results/`. Prints the paths, one a line or as JSON.
 * @returns the exit code
 */
export async function report(
  targets: string | readonly string[],
  options: { out?: string; json?: boolean } = {},
): Promise<number> {
  requirePlace(targets, options.out);
  if (!options.out) await warnWithoutFonts();
  if (targets.length > 0) {
    printPaths(await reportOn(targets, options.out), options.json);
    return 0;
  }
  const folders = experimentResults();
  if (folders.length === 0 || options.out) {
    throw new UserError(
      options.out ? 'is for one page, so name an experiment' : 'results/ holds no experiment yet',
      {
        place: options.out ? '--out' : undefined,
        fix: 'gnbench report EXPERIMENT',
      },
    );
  }
  const written: string[] = [];
  for (const folder of folders) written.push(...(await reportOn(folder)));
  printPaths(written, options.json);
  return 0;
}

async function reportOn(targets: string | readonly string[], out?: string): Promise<string[]> {
  const study = await collect(targets);
  return out
    ? writeFiles(dirname(out), new Map([[basename(out), await renderReport(study)]]))
    : writeFiles(study.folder, await reportFiles(study));
}
