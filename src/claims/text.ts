/** The claims as text: a list for the terminal, a page of results/, the README's table, the experiments' costs. */

import { verdictInWords } from '../analysis/verdict.js';
import { signed } from '../terminal/number-format.js';
import type { AssessedClaim, Evidence, Test } from './claims.js';

/** A block for each claim. */
export function renderClaimsText(claims: readonly AssessedClaim[]): string {
  const blocks = claims.map((claim) => {
    const lines = [`${claim.source}: ${claim.statement}`];
    for (const test of claim.tests) {
      const { done, planned } = test.runs;
      lines.push(`  ${test.command}  (${costInWords(test)}; ${done} of ${planned} runs done)`);
    }
    for (const each of claim.evidence) lines.push(`  ${each.experiment}: ${evidenceInWords(each)}`);
    lines.push(...fallback(claim).map((words) => `  ${words.replaceAll('`', '')}`));
    return lines.join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}

/** A Markdown section for each claim: a line for each experiment, and below it one for each difference between its cells. */
export function renderClaimsMarkdown(claims: readonly AssessedClaim[]): string {
  const sections = claims.map((claim) => {
    const lines = claim.tests.flatMap(({ experiment, runs }) => {
      const found = claim.evidence.filter((each) => each.experiment === experiment);
      if (found.length === 0) return [];
      return [
        `- [\`${experiment}\`](${experiment}/table.md), ${runs.done} of ${runs.planned} runs done:`,
        ...found.map((each) => `  - ${evidenceInWords(each)}`),
      ];
    });
    const silent = claim.tests.filter((test) =>
      claim.evidence.every(({ experiment }) => experiment !== test.experiment),
    );
    for (const test of silent) lines.push(`- \`${test.experiment}\`: not run yet (${costInWords(test)})`);
    lines.push(...fallback(claim).map((words) => `- ${words}`));
    return `## ${claim.source}: ${claim.statement}\n\n${lines.join('\n')}\n`;
  });
  return sections.join('\n');
}

/** A Markdown table of the abstract's claims: each difference that an experiment has measured with two seeds or more. */
export function renderHeadlineMarkdown(claims: readonly AssessedClaim[], experiment: string): string {
  const rows = claims
    .filter(({ source }) => source === 'Abstract')
    .flatMap(({ statement, evidence }) =>
      evidence
        .filter((each) => each.experiment === experiment && each.interval)
        .map(({ difference, published, ours, interval, seeds, verdict }) => [
          `${statement} (${difference})`,
          published === undefined ? '–' : signed(published, 1),
          `${signed(ours!, 2)} [${interval!.map((end) => signed(end, 2)).join(', ')}]`,
          String(seeds),
          verdictInWords(verdict),
        ]),
    );
  return `${grid(['the paper claims (measured as)', 'paper', 'ours [95 % interval]', 'seeds', 'verdict'], rows)}\n`;
}

/**
 * A Markdown table of the abstract's sentences, each with the figure that it stands on here: of the experiments that
 * measured it that with the most seeds, of these the longest. A sentence without a figure says what is missing.
 */
export function renderAbstractMarkdown(claims: readonly AssessedClaim[]): string {
  const rows = claims
    .filter(({ source }) => source === 'Abstract')
    .map((claim) => [claim.statement, ...standsOn(claim)]);
  return `${grid(['the abstract says', 'stands here on', 'measured: verdict'], rows)}\n`;
}

function standsOn(claim: AssessedClaim): [experiment: string, found: string] {
  const measured = claim.evidence.filter(({ ours }) => ours !== undefined);
  const most = Math.max(...measured.map(({ seeds }) => seeds));
  const { experiment } = measured.findLast(({ seeds }) => seeds === most) ?? {};
  if (experiment !== undefined) {
    const found = measured.filter((each) => each.experiment === experiment && each.seeds === most);
    return [`[\`${experiment}\`](${experiment}/table.md)`, found.map(evidenceInWords).join('<br>')];
  }
  const [test] = claim.tests;
  if (!test) return ['–', fallback(claim).join('')];
  return ['–', `not tested: no run yet of \`${test.command}\` (${costInWords(test)})`];
}

/** A Markdown table of the cost of each experiment that tests a claim. */
export function renderCostsMarkdown(claims: readonly AssessedClaim[]): string {
  const tests = new Map(
    claims.flatMap((claim) => claim.tests.map((test) => [test.experiment, test] as const)),
  );
  const costs = [...tests.values()]
    .sort((a, b) => a.hours - b.hours)
    .map((test) => [`\`${test.command}\``, costInWords(test), `${test.runs.done} of ${test.runs.planned}`]);
  return `${grid(['command', 'cost on two cores', 'runs done'], costs)}\n`;
}

function grid(header: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** `about 40 min`, `about 14 h`, `about 46,000 h (5 years)`. */
function costInWords({ hours }: Test): string {
  if (hours < 1) return `about ${Math.max(1, Math.round(hours * 60))} min`;
  const years = hours / (365 * 24);
  const told = years < 1 ? '' : ` (${years.toPrecision(1)} year${years < 1.5 ? '' : 's'})`;
  return `about ${hours.toLocaleString('en')} h${told}`;
}

/** `GN − BN at 2: −2.56 [−2.95, −2.22] in 3 seeds on only 50 clips, paper −10.6: agrees in direction only`. */
function evidenceInWords(evidence: Evidence): string {
  const { difference, published, ours, interval, seeds, verdict, fewExamples } = evidence;
  const paper = published === undefined ? '' : `, paper ${signed(published, 1)}`;
  if (ours === undefined) return `${difference}: ${verdictInWords(verdict)}${paper}`;
  const range = interval ? ` [${interval.map((end) => signed(end, 2)).join(', ')}]` : '';
  const examples = fewExamples ? ` on only ${fewExamples.count} ${fewExamples.unit}` : '';
  const sample = `in ${seeds} seed${seeds === 1 ? '' : 's'}${examples}`;
  return `${difference}: ${signed(ours, 2)}${range} ${sample}${paper}: ${verdictInWords(verdict)}`;
}

function fallback({ code, untested }: AssessedClaim): string[] {
  if (untested) return [untested];
  return code
    ? [`\`${code.name}\` in \`${code.file}\`: ${code.lines} line${code.lines === 1 ? '' : 's'}`]
    : [];
}
