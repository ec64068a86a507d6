import { join } from 'node:path';
import { collect, requirePlace } from '../analysis/collect.js';
import { UserError } from '../errors.js';
import { warnWithoutFonts } from '../report/figures/render.js';
import { figureFiles } from '../report/page/artifacts.js';
import { printPaths, writeFiles } from '../report/page/write-files.js';

/**
 * `gnbench plot EXPERIMENT|DIR…`: each figure as SVG, PNG and specification, into `figures/` of the results folder or
 * the folder `out`; prints their paths, one a line or as JSON. @returns the exit code
 */
export async function plot(
  targets: string | readonly string[],
  options: { out?: string; json?: boolean } = {},
): Promise<number> {
  requirePlace(targets, options.out);
  const study = await collect(targets);
  const files = await figureFiles(study);
  if (files.size === 0) {
    throw new UserError('there is nothing to draw yet: no run has a curve', {
      place: study.folder,
      fix: 'gnbench sweep EXPERIMENT starts its runs',
      exitCode: 1,
    });
  }
  await warnWithoutFonts();
  const folder = options.out ?? join(study.folder, 'figures');
  printPaths(await writeFiles(folder, files), options.json);
  return 0;
}
