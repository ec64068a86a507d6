/** The sheets of clips that runs have left in their folders, as figures of the report. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Study } from '../../analysis/study.js';
import { framesSheet, mistakesSheet } from '../../runs/clip-sheets.js';
import { escapeHtml } from './html.js';

/** A clip of each class once, since all runs see the same; then the worst mistakes of each cell's first run. */
export function clipFigures({ cells }: Pick<Study, 'cells'>): string[] {
  const sheets = (name: string) =>
    cells.flatMap(({ label, runs }) => {
      const found = runs.flatMap(({ seed, folder }) => {
        const svg = readSheet(join(folder, name));
        return svg === undefined ? [] : { label, seed, svg };
      });
      return found.slice(0, 1);
    });
  return [
    ...sheets(framesSheet)
      .slice(0, 1)
      .map(({ svg }) =>
        figureOf(svg, 'A validation clip of each class, frame by frame as a network sees it.'),
      ),
    ...sheets(mistakesSheet).map(({ label, seed, svg }) =>
      figureOf(
        svg,
        `${label}, seed ${seed}: the validation clips to whose class the network gave the least probability.`,
      ),
    ),
  ];
}

/**
 * As an image, in which nothing that the file may hold can act on the page. Its style is its own, so that pages without
 * clips stay the same bytes.
 */
function figureOf(svg: Buffer, caption: string): string {
  const image = `<img style="display: block; max-width: 100%" alt="${escapeHtml(caption)}" src="data:image/svg+xml;base64,${svg.toString('base64')}">`;
  return `<figure>\n<div class="paper-white">${image}</div>\n<figcaption>${escapeHtml(caption)}</figcaption>\n</figure>`;
}

function readSheet(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    // Runs over images have none.
    return undefined;
  }
}
