/** The profiles of `gnbench bench` as one page: where each setting's step goes, by kinds of work and by layers. */
import { byKind, type ProfileRow } from '../../bench/profile.js';
import type { BenchRow } from '../../bench/row.js';
import { escapeHtml, htmlPage, htmlTable } from './html.js';

const header = ['kind', 'layer', 'ms', 'of the step', '', 'GFLOP/s', 'GB/s', 'of the peak'];
const words = [0, 1, 4];

/** A page of all settings that were profiled. Rows of a table add up to the step. */
export function profilePage(rows: BenchRow[]): string {
  const title = 'Where the time of a training step goes';
  const introduction =
    "gnbench's own operations are timed one by one; the rest of the step is TensorFlow's operations and waiting. Peaks are " +
    "this machine's own: a product of matrices that stays in the caches, and a copy.";
  const sections = rows.filter(({ profile }) => profile).map(section);
  return htmlPage(
    title,
    [`<h1>${title}</h1>`, `<p class="faint">${introduction}</p>`, ...sections].join('\n'),
  );
}

function section({ profile = [], ...row }: BenchRow): string {
  const setting = `${row.model}, ${row.resolution}×${row.resolution}, ${row.normalizer}, ${row.workers}×${row.batch}, ${row.precision}, ${row.convolutions}`;
  const speed = `${row.imagesPerSecond.toFixed(0)} images/s; a step takes ${row.stepMs.median.toFixed(1)} ms, with a clock on every operation ${total(profile).toFixed(1)} ms. ${row.threads.intraOp} threads.`;
  return [
    `<section>\n<h2>${escapeHtml(setting)}</h2>\n<p>${speed}</p>`,
    table(byKind(profile)),
    `<details><summary>by layer</summary>\n${table(profile)}\n</details>\n</section>`,
  ].join('\n');
}

const total = (profile: ProfileRow[]) => profile.reduce((sum, { milliseconds }) => sum + milliseconds, 0);

function table(profile: ProfileRow[]): string {
  const most = Math.max(...profile.map(({ share }) => share));
  const cells = profile.map(({ kind, layer, milliseconds, share, gigaflops, gigabytes, ofPeak }) => [
    escapeHtml(kind),
    escapeHtml(layer),
    milliseconds.toFixed(2),
    percent(share),
    bar(share / most),
    gigaflops?.toFixed(0) ?? '',
    gigabytes?.toFixed(1) ?? '',
    percent(ofPeak),
  ]);
  return htmlTable(header, cells, words);
}

const percent = (share?: number) => (share === undefined ? '' : `${(100 * share).toFixed(1)} %`);

/** @param length as a share of the longest; what was not timed can come out below 0 */
function bar(length: number): string {
  const width = Math.max(0, 120 * length).toFixed(1);
  return `<svg style="vertical-align: middle; fill: var(--ours)" width="120" height="10" aria-hidden="true"><rect width="${width}" height="10"/></svg>`;
}
