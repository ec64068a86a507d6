/** A detector's findings to look at: pictures of them beside the truth, and the AP of each class. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readScores } from '../../analysis/read-scores.js';
import { mean } from '../../analysis/statistics.js';
import type { Study, StudyCell } from '../../analysis/study.js';
import { categoryColour, colourCount } from '../../coco/picture.js';
import { fixed } from '../../terminal/number-format.js';
import { drawnRuns } from '../figures/lines.js';
import { escapeHtml, htmlTable } from './html.js';

/** In the section itself: pages without pictures stay as they are. */
export const examplesStyle = `
figure.example { margin: 0; }
.example img { display: block; max-width: 100%; border: 1px solid var(--line); }
.examples { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(25rem, 100%), 1fr)); gap: 1.2rem; }
`;

/** A picture for each cell: of its first run that has one. Empty where none has. */
export function examplesOf({ cells }: Study): string {
  return cells
    .flatMap((cell) => {
      const run = drawnRuns(cell).find(({ folder }) => existsSync(join(folder, 'examples.webp')));
      if (!run) return [];
      const picture = readFileSync(join(run.folder, 'examples.webp')).toString('base64');
      const words = escapeHtml(`${cell.label}, seed ${run.seed}`);
      const label = `three validation images: the objects in them, and what ${words} found`;
      const image = `<img src="data:image/webp;base64,${picture}" alt="${label}" loading="lazy">`;
      const caption = `${words}: the truth on the left, found on the right with a score of at least 0.5${colourKey(cell)}`;
      return `<figure class="example">${image}\n<figcaption>${caption}</figcaption></figure>`;
    })
    .join('\n');
}

/** The classes' colours in words, as long as no two share one. */
function colourKey(cell: StudyCell): string {
  const classes = classesOf(cell);
  if (classes.length < 2 || classes.length > colourCount) return '';
  const names = classes.map(
    ({ name }, number) =>
      `<span style="color: rgb(${categoryColour(number).join(', ')})">■</span> ${escapeHtml(name)}`,
  );
  return `; ${names.join(', ')}`;
}

/** AP of each class in points, the mean over a cell's seeds; by masks where there are any. Empty where no run has any. */
export function classTable({ cells }: Study): string {
  const found = cells.map((cell) => ({ cell, classes: classesOf(cell) }));
  const some = found.find(({ classes }) => classes.length > 0);
  // A single class's AP is the run's own.
  if (!some || some.classes.length < 2) return '';
  const header = ['class', 'objects', ...cells.map(({ label }) => escapeHtml(label))];
  const body = some.classes.map(({ name, objects }) => [
    escapeHtml(name),
    objects.toLocaleString('en'),
    ...found.map(({ classes }) => {
      const values = classes.find((each) => each.name === name)?.values ?? [];
      return values.length > 0 ? fixed(100 * mean(values), 1) : '–';
    }),
  ]);
  return htmlTable(header, body, [0]);
}

interface ClassScores {
  name: string;
  objects: number;
  /** Fractions, one for each run. */
  values: number[];
}

function classesOf(cell: StudyCell): ClassScores[] {
  const runs = drawnRuns(cell).flatMap(({ folder }) => {
    const scores = readScores(folder);
    return scores ? [(scores.mask ?? scores.box)?.perCategory ?? []] : [];
  });
  if (runs.length === 0) return [];
  return runs[0].map(({ name, objects }) => ({
    name,
    objects,
    values: runs.flatMap((classes) => {
      const AP = classes.find((each) => each.name === name)?.AP;
      return typeof AP === 'number' ? [AP] : [];
    }),
  }));
}
