/** The files that belong beside an experiment's runs: tables, figures and the page, all made from the runs alone. */

import type { Study } from '../../analysis/study.js';
import { figuresOf } from '../figures/figures.js';
import { figureSpec, renderPng, renderSvg } from '../figures/render.js';
import { renderTable } from '../tables/table.js';
import { renderReport } from './report.js';

/** Names of files, with their contents. */
export type Files = Map<string, string | Buffer>;

/** `table.md`, `runs.csv` (a row a run) and `cells.csv` (a row a cell). */
export function tableFiles(study: Study): Files {
  return new Map([
    ['table.md', renderTable(study, 'markdown')],
    ['runs.csv', renderTable(study, 'csv')],
    ['cells.csv', renderTable(study, 'wide')],
  ]);
}

/** Each figure as specification (`.vl.json`), SVG and, unless told not to, PNG. */
export async function figureFiles(study: Study, options: { png?: boolean } = {}): Promise<Files> {
  const files: Files = new Map();
  for (const figure of figuresOf(study)) {
    const spec = figureSpec(figure);
    const svg = await renderSvg(spec);
    files.set(`${figure.name}.vl.json`, `${JSON.stringify(spec, null, 1)}\n`);
    files.set(`${figure.name}.svg`, svg);
    if (options.png !== false) files.set(`${figure.name}.png`, await renderPng(svg));
  }
  return files;
}

/** Everything that `gnbench report` writes into the results folder. */
export async function reportFiles(study: Study, options: { png?: boolean } = {}): Promise<Files> {
  const figures = await figureFiles(study, options);
  return new Map([
    ...tableFiles(study),
    ...[...figures].map(([name, content]) => [`figures/${name}`, content] as const),
    ['report.html', await renderReport(study)],
  ]);
}
