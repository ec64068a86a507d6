/**
 * The parts of the project's pages that are made from `results/`. Such a part stands between `<!-- generated: PART -->` and
 * `<!-- /generated -->`, where PART is one of
 *
 * - `headline EXPERIMENT`: the abstract's claims beside what the experiment measured
 * - `abstract`: the abstract's sentences, each with the figure that it stands on
 * - `claims`: every claim with its experiments
 * - `costs`: the cost of each experiment that is shipped
 * - `summary EXPERIMENT`: the paper's layout and the differences
 * - `table EXPERIMENT`: the table in full
 * - `speed`: one sentence on results/bench/peers.md
 *
 *   node dist/tools/readme.js [--write] [FILE…]     (all of `pages` when no file is named)
 *
 * Without `--write` it says which pages are out of date, and exits with 1 if any is.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { collect } from '../analysis/collect.js';
import { assessClaims, experimentCosts } from '../claims/claims.js';
import {
  renderAbstractMarkdown,
  renderClaimsMarkdown,
  renderCostsMarkdown,
  renderHeadlineMarkdown,
} from '../claims/text.js';
import { UserError } from '../errors.js';
import { markdownSummary } from '../report/tables/markdown.js';
import { tableModel } from '../report/tables/model.js';
import { renderTable } from '../report/tables/table.js';
import { replaceFile } from '../storage/files.js';

export const pages = [
  'README.md',
  'results/README.md',
  'results/claims.md',
  'results/reproduction.md',
  'results/transfer.md',
  'results/short-trainings.md',
  'results/costs.md',
  'results/bench/README.md',
] as const;

/** Written by experiments/peers/compare.mjs. */
const peersTable = 'results/bench/peers.md';

const block = /(<!-- generated: (.+?) -->\n)[\s\S]*?(<!-- \/generated -->)/g;

/** The page with every generated part made anew. Throws UserError for an unknown or an unclosed part. */
export async function regenerate(page: string, file: string): Promise<string> {
  const parts = [...page.matchAll(block)];
  const opened = page.split('<!-- generated: ').length - 1;
  if (opened !== parts.length || page.split('<!-- /generated -->').length - 1 !== parts.length) {
    throw new UserError('a generated part is not closed', {
      place: file,
      fix: 'end it with <!-- /generated -->',
    });
  }
  const contents = new Map<string, string>();
  for (const [, , what] of parts) if (!contents.has(what)) contents.set(what, await generate(what, file));
  return page.replace(block, (_, open, what, close) => `${open}\n${contents.get(what)}\n${close}`);
}

async function generate(what: string, file: string): Promise<string> {
  const [kind, experiment, ...rest] = what.split(' ');
  if (kind === 'abstract' && !experiment) return renderAbstractMarkdown(await assessClaims());
  if (kind === 'claims' && !experiment) return renderClaimsMarkdown(await assessClaims());
  if (kind === 'costs' && !experiment) return renderCostsMarkdown(await experimentCosts());
  if (kind === 'speed' && !experiment) return `${speedInWords(readFileSync(peersTable, 'utf8'))}\n`;
  if (kind === 'headline' && experiment && rest.length === 0) {
    return renderHeadlineMarkdown(await assessClaims(), experiment);
  }
  if ((kind === 'table' || kind === 'summary') && experiment && rest.length === 0) {
    const study = await collect(experiment);
    return kind === 'table' ? renderTable(study, 'markdown') : markdownSummary(tableModel(study));
  }
  throw new UserError(`"${what}" cannot be generated`, {
    place: file,
    fix: 'one of: abstract, claims, costs, headline EXPERIMENT, table EXPERIMENT, summary EXPERIMENT, speed',
  });
}

/** The range of the ratios in a table of `compare.mjs`, and the machine that they were measured on. */
function speedInWords(table: string): string {
  const ratios = [...table.matchAll(/\| (\d+\.\d+) \|$/gm)].map(([, ratio]) => Number(ratio));
  const machine = /^- Machine: (.*)$/m.exec(table)?.[1];
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  return `A training step of ResNet-20 is ${range} times as fast as the fastest of PyTorch and Keras (${ratios.length} cells: BN and GN, 2 to 128 images, float32 and bfloat16; ${machine}).`;
}

async function main(args: string[]): Promise<number> {
  const named = args.filter((arg) => arg !== '--write');
  const files = named.length > 0 ? named : pages.filter((page) => existsSync(page));
  let stale = 0;
  for (const file of files) {
    const page = readFileSync(file, 'utf8');
    const fresh = await regenerate(page, file);
    if (fresh === page) continue;
    stale++;
    if (args.includes('--write')) replaceFile(file, fresh);
    process.stdout.write(`${file} ${args.includes('--write') ? 'written' : 'is out of date'}\n`);
  }
  return args.includes('--write') ? 0 : Math.min(1, stale);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
