/** An experiment as one HTML page that needs nothing else: tables, figures, cost, configurations and environment. */
import { readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { groupBy } from '../../analysis/group-by.js';
import { networkName } from '../../analysis/proper-name.js';
import type { Study } from '../../analysis/study.js';
import { verdictInWords } from '../../analysis/verdict.js';
import { printConfig } from '../../config/print.js';
import { isOverClips } from '../../config/schema-model.js';
import { count } from '../../experiments/label.js';
import { paperSetting } from '../../paper/published.js';
import { decimalsOf, isOfHundred, labelOf } from '../../tasks/metric.js';
import { fixed, signed } from '../../terminal/number-format.js';
import { quoted } from '../../terminal/words.js';
import { figuresOf } from '../figures/figures.js';
import type { Figure } from '../figures/panel.js';
import { figureParts, renderSvg } from '../figures/render.js';
import { captionOf, markOfSeed, oursInWords, partOfSeeds } from '../tables/markdown.js';
import { type TableModel, type TableRow, tableModel } from '../tables/model.js';
import { notesOf } from '../tables/notes.js';
import { clipFigures } from './clip-sheets.js';
import { classTable, examplesOf, examplesStyle } from './detections.js';
import { escapeHtml, htmlPage, htmlTable, inlineSvg, intervalBar } from './html.js';

/** The page's source. The same files give the same bytes. */
export async function renderReport(study: Study): Promise<string> {
  const model = tableModel(study);
  const figures = await Promise.all(figuresOf(study).map(figureSection));
  const clips = clipFigures(study);
  const [examples, classes] = [examplesOf(study), classTable(study)];
  const sections = [
    `<h1>${escapeHtml(model.title)}</h1>`,
    `<p class="faint">${escapeHtml(introduction(study))}</p>`,
    model.matrix
      ? section(
          'Paper and ours',
          `<p>${escapeHtml(captionOf(model))}</p>${matrixTable(model.matrix, model.metric)}`,
        )
      : '',
    figures.length > 0 ? section('Figures', figures.join('\n')) : '',
    examples === ''
      ? ''
      : section('Examples', `<style>${examplesStyle}</style>\n<div class="examples">\n${examples}\n</div>`),
    classes === '' ? '' : section('AP of each class', classes),
    model.contrasts.length > 0 ? section('Differences', contrastSection(model)) : '',
    section('Cells', (model.matrix ? '' : `<p>${escapeHtml(captionOf(model))}</p>`) + rowsTable(model)),
    clips.length > 0 ? section('Clips', clips.join('\n')) : '',
    notesSection(model),
    section('What differs from the paper', `<p>${escapeHtml(model.differences)}</p>`),
    section('Cost', costTable(study)),
    section('Configurations', study.cells.map(configDetails).join('\n')),
    section('Environment', environmentDetails(study)),
    section('To make this page again', `<pre>${escapeHtml(commandFor(study))}</pre>`),
  ];
  return htmlPage(model.title, sections.filter((part) => part !== '').join('\n'));
}

/**
 * The page's command: by folder, since an experiment of that name may ask for more by now than these results did. Of a
 * folder outside the working folder the last two parts stand, so that a page names nobody's home.
 */
function commandFor({ folder, parts }: Study): string {
  const fromHere = (path: string) => {
    const from = relative('.', path) || '.';
    const shown = from.startsWith('..') ? resolve(path).split(sep).slice(-2).join(sep) : from;
    return /^[\w./@:+,=-]+$/.test(shown) ? shown : quoted(shown);
  };
  return parts
    ? `gnbench report ${parts.map(fromHere).join(' ')} --out PAGE.html`
    : `gnbench report ${fromHere(folder)}`;
}

function section(title: string, content: string): string {
  return `<section>\n<h2>${title}</h2>\n${content}\n</section>`;
}

function introduction({ reproduces, cells, seeds }: Study): string {
  const { table, figure } = reproduces ?? {};
  const parts = [table ? `Table ${table}` : [], figure ? `Figure ${figure}` : []].flat();
  const what =
    parts.length > 0
      ? `Repeats ${parts.join(' and ')} of ${paperSetting.title} (arXiv ${paperSetting.arxiv}). `
      : '';
  const runs = cells.flatMap((cell) => cell.runs);
  const done = runs.filter(({ outcome }) => outcome === 'completed').length;
  return `${what}${count(cells.length, 'cell')}, ${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}; ${done} of ${count(runs.length, 'run')} completed.`;
}

async function figureSection(figure: Figure): Promise<string> {
  const { panels, legend } = figureParts(figure);
  const drawn = await Promise.all(
    panels.map(async (spec, index) => {
      const { title, subtitle } = figure.panels[index];
      const label = `${figure.caption}: ${title}, ${subtitle.join(', ')}`;
      return `<div>${inlineSvg(await renderSvg(spec), `${figure.name}-${index}`, label)}</div>`;
    }),
  );
  const key = inlineSvg(await renderSvg(legend), `${figure.name}-legend`, 'legend');
  const caption = `<figcaption>${escapeHtml(figure.caption)}</figcaption>`;
  return `<figure>\n<div class="paper-white">\n<div class="panels">\n${drawn.join('\n')}\n</div>\n<div>${key}</div>\n</div>\n${caption}\n</figure>`;
}

function matrixTable(
  { batchSizes, lines }: NonNullable<TableModel['matrix']>,
  metric: TableModel['metric'],
): string {
  const body = lines.flatMap(({ label, published, ours }) => [
    [
      `${escapeHtml(label)}, paper`,
      ...published.map((value) => (value === undefined ? '–' : fixed(value, decimalsOf(metric) - 1))),
    ],
    [
      `<strong>${escapeHtml(label)}, ours</strong>`,
      ...ours.map((row) => `<strong>${oursInWords(row, metric)}</strong>${partOfSeeds(row)}`),
    ],
  ]);
  return htmlTable(['batch size', ...batchSizes.map(String)], body, [0]);
}

function rowsTable({ rows, baselineRows, metric }: TableModel): string {
  const decimals = decimalsOf(metric);
  const line = (row: TableRow, label: string) => [
    escapeHtml(label),
    row.published === undefined ? '–' : fixed(row.published, decimals - 1),
    oursInWords(row, metric),
    `${row.values.length} of ${row.planned}`,
    row.values
      .map(
        ({ seed, value }) =>
          `${fixed(value, decimals)}${markOfSeed(row, seed)}<span class="faint"> (${seed})</span>`,
      )
      .join(', ') || '–',
  ];
  const body = [
    ...rows.map((row) => line(row, row.label)),
    ...baselineRows.map((row) => line(row, `${row.label} (for comparison)`)),
  ];
  return htmlTable(['cell', 'paper', 'ours', 'seeds', 'each (seed)'], body, [0, 4]);
}

function contrastSection({ contrasts, metric }: TableModel): string {
  const decimals = decimalsOf(metric);
  const ends = contrasts.flatMap(({ published, ours }) => [0, published ?? 0, ours?.mean ?? 0]);
  const domain: [number, number] = [Math.floor(Math.min(...ends) - 1), Math.ceil(Math.max(...ends) + 1)];
  const body = contrasts.map(({ label, published, ours, verdict }) => [
    escapeHtml(label),
    published === undefined ? '–' : signed(published, decimals - 1),
    ours ? signed(ours.mean, decimals) : '–',
    ours?.interval ? `[${ours.interval.map((end) => signed(end, decimals)).join(', ')}]` : '–',
    String(ours?.n ?? 0),
    intervalBar({ published, mean: ours?.mean, interval: ours?.interval, domain }),
    verdictInWords(verdict),
  ]);
  const scale = `${signed(domain[0], 0)} to ${signed(domain[1], 0)}`;
  const header = ['difference', 'paper', 'ours', '95 % interval', 'seeds', scale, 'verdict'];
  const unit = isOfHundred(metric) ? 'points of ' : '';
  const goesOn = contrasts.some(
    ({ ours }) => ours?.interval && (ours.interval[0] < domain[0] || ours.interval[1] > domain[1]),
  );
  const arrow = goesOn ? ', an arrow where that goes on beyond the scale' : '';
  const caption = `In ${unit}validation ${labelOf(metric)}, ours paired by seed. In the drawing: ◇ the paper, ● ours with its interval${arrow}, the dashed line zero.`;
  return `<p>${escapeHtml(caption)}</p>\n${htmlTable(header, body, [0, 5, 6])}`;
}

function notesSection(model: TableModel): string {
  const notes = notesOf(model);
  if (notes.length === 0) return '';
  return section(
    'To keep in mind',
    `<ul>\n${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('\n')}\n</ul>`,
  );
}

function costTable({ cells }: Study): string {
  const body = cells.flatMap(({ label, runs }) =>
    runs.flatMap(({ seed, summary, outcome, epochs }) => [
      [
        escapeHtml(label),
        String(seed),
        outcome,
        `${epochs.done} of ${epochs.total ?? '?'}`,
        summary?.imagesPerSecond ? summary.imagesPerSecond.toFixed(0) : '–',
        summary ? (summary.secondsTotal / 60).toFixed(1) : '–',
      ],
    ]),
  );
  const examples = cells.every(({ config }) => isOverClips(config.model.name)) ? 'clips' : 'images';
  const seconds = cells.flatMap(({ runs }) => runs.map(({ summary }) => summary?.secondsTotal ?? 0));
  const hours = seconds.reduce((sum, each) => sum + each, 0) / 3600;
  const header = ['cell', 'seed', 'outcome', 'epochs', `${examples}/s`, 'minutes'];
  return `<p>${hours.toFixed(1)} hours of running in all.</p>\n${htmlTable(header, body, [0, 2])}`;
}

function configDetails({ label, config, runs }: Study['cells'][number]): string {
  const parameters = runs.find(({ summary }) => summary)?.summary?.parameters;
  const size = parameters ? `, ${networkName(config)} of ${parameters.toLocaleString('en')} parameters` : '';
  return `<details><summary>${escapeHtml(label + size)}</summary><pre>${escapeHtml(printConfig(config))}</pre></details>`;
}

/** Runs with the same environment share an entry. */
function environmentDetails({ cells }: Study): string {
  const runs = cells.flatMap((cell) =>
    cell.runs.map((run) => ({ name: `${cell.label}, seed ${run.seed}`, run })),
  );
  const found = runs.flatMap(({ name, run }) => {
    const text = readEnvironment(run.folder);
    return text === undefined ? [] : { name, text };
  });
  if (found.length === 0) return '<p>No run has recorded one.</p>';
  return [...groupBy(found, ({ text }) => text)]
    .map(([text, members]) => {
      const names = members.map(({ name }) => name).join('; ');
      const whose = members.length === found.length ? 'All runs' : names;
      return `<details><summary>${escapeHtml(whose)}</summary><pre>${escapeHtml(text)}</pre></details>`;
    })
    .join('\n');
}

function readEnvironment(folder: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(readFileSync(join(folder, 'environment.json'), 'utf8')), null, 2);
  } catch {
    // Killed before it was written, or while: the page does without.
    return undefined;
  }
}
