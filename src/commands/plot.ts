import { join } from 'node:path';
import { UserError } from '../errors.js';
import { figureFiles } from '../report/artifacts.js';
import { collect, requirePlace } from '../report/collect.js';
import { warnWithoutFonts } from '../report/fonts.js';
import { writeFiles } from '../report/write-files.js';

/**
 * `gnbench plot EXPERIMENT|DIR…`: each figure as SVG, PNG and specification, into `figures/` of the results folder or
 * the folder `out`; prints their paths. @returns the exit code
 */
export async function plot(
  targets: string | readonly string[],
  options: { out?: string } = {},
): Promise<number> {
  requirePlace(targets, options.out);
  const study = await collect(targets);
  const files = await figureFiles(study);
  if (files.size === 0) {
    throw new UserError('there is nothing to draw yet: no run has a curve', {
      place: study.folder,
      fix: 'gnbench sweep EXPERIMENT trains what it names',
      exitCode: 1,
    });
  }
  await warnWithoutFonts();
  const folder = options.out ?? join(study.folder, 'figures');
  process.stdout.write(`${(await writeFiles(folder, files)).join('\n')}\n`);
  return 0;
}
