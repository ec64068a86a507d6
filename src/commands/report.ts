import { basename, dirname } from 'node:path';
import { collect, experimentResults, requirePlace } from '../analysis/collect.js';
import { UserError } from '../errors.js';
import { warnWithoutFonts } from '../report/figures/fonts.js';
import { reportFiles } from '../report/page/artifacts.js';
import { renderReport } from '../report/page/report.js';
import { writeFiles } from '../report/page/write-files.js';

/**
 * `gnbench report EXPERIMENT|DIR…`: one HTML page, with the tables and figures as files beside it in the results folder;
 * with `out`, the page alone in that file. Without a target, that of every experiment in `results/`. Prints the paths.
 * @returns the exit code
 */
export async function report(
  targets: string | readonly string[],
  options: { out?: string } = {},
): Promise<number> {
  requirePlace(targets, options.out);
  if (!options.out) await warnWithoutFonts();
  if (targets.length > 0) {
    await reportOn(targets, options.out);
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
  for (const folder of folders) await reportOn(folder);
  return 0;
}

async function reportOn(targets: string | readonly string[], out?: string): Promise<void> {
  const study = await collect(targets);
  const written = out
    ? await writeFiles(dirname(out), new Map([[basename(out), await renderReport(study)]]))
    : await writeFiles(study.folder, await reportFiles(study));
  process.stdout.write(`${written.join('\n')}\n`);
}
