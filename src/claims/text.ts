/** The claims as text: a list for the terminal, a page of results/, the README's table, the experiments' costs. */

import { verdictInWords } from '../analysis/verdict.js';
import { classificationError, labelOf, type Metric } from '../tasks/metric.js';
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
    for (const test of silent) lines.push(`- \`${test.experiment}\`: ${silenceInWords(test)}`);
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
 * A Markdown table of the abstract's sentences, each with the figures that it stands on here: a row for every experiment
 * that measured it with two seeds or more, the longest first; without one, the longest of those with one seed. A sentence
 * without a figure says what is missing.
 */
export function renderAbstractMarkdown(claims: readonly AssessedClaim[]): string {
  const rows = claims
    .filter(({ source }) => source === 'Abstract')
    .flatMap((claim) =>
      standsOn(claim).map((found, index) => [index === 0 ? claim.statement : '', ...found]),
    );
  return `${grid(['the abstract says', 'stands here on', 'measured: verdict'], rows)}\n`;
}

function standsOn(claim: AssessedClaim): [experiment: string, found: string][] {
  const { tests, evidence } = claim;
  const measured = evidence.filter(({ ours }) => ours !== undefined);
  const withInterval = measured.filter(({ interval }) => interval);
  const names = (found: Evidence[]) => [...new Set(found.map(({ experiment }) => experiment))].reverse();
  // A run that diverged is a finding, too.
  const best = [withInterval, measured].find(({ length }) => length > 0) ?? evidence;
  const shown = names(best).slice(0, best === withInterval ? undefined : 1);
  if (shown.length > 0) {
    return shown.map((name) => {
      const found = best.filter(({ experiment }) => experiment === name);
      return [`[\`${name}\`](${name}/table.md)`, found.map(evidenceInWords).join('<br>')];
    });
  }
  const test = tests.find(({ runs }) => runs.done > 0) ?? tests[0];
  if (!test) return [['–', fallback(claim).join('')]];
  return [['–', `not tested: \`${test.command}\`: ${silenceInWords(test)}`]];
}

/** Why an experiment says nothing of a claim: `not run yet (about 4 h)`, `2 of 12 runs done, none to compare yet`. */
function silenceInWords(test: Test): string {
  const { done, planned } = test.runs;
  return done === 0
    ? `not run yet (${costInWords(test)})`
    : `${done} of ${planned} runs done, none to compare yet`;
}

/** A Markdown table of experiments' costs. */
export function renderCostsMarkdown(tests: readonly Test[]): string {
  const costs = tests.map((test) => [
    `\`${test.command}\``,
    costInWords(test),
    `${test.runs.done} of ${test.runs.planned}`,
  ]);
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

/**
 * `GN − BN at 2: −2.56 [−2.95, −2.22] in 3 seeds on only 50 clips, paper −10.6: agrees in direction only`; where points are
 * not of error, `+9.48 [+6.39, +12.57] mask AP (higher is better) in 2 seeds`.
 */
function evidenceInWords(evidence: Evidence): string {
  const { metric, difference, published, ours, interval, seeds, verdict, fewExamples } = evidence;
  const paper = published === undefined ? '' : `, paper ${signed(published, 1)}`;
  if (ours === undefined) return `${difference}: ${verdictInWords(verdict)}${paper}`;
  const range = interval ? ` [${interval.map((end) => signed(end, 2)).join(', ')}]` : '';
  const examples = fewExamples ? ` on only ${fewExamples.count} ${fewExamples.unit}` : '';
  const sample = `in ${seeds} seed${seeds === 1 ? '' : 's'}${examples}`;
  return `${difference}: ${signed(ours, 2)}${range}${metricInWords(metric)} ${sample}${paper}: ${verdictInWords(verdict)}`;
}

/** Nothing for the error, which all are of unless they say so. */
const metricInWords = (metric: Metric): string =>
  metric.name === classificationError.name ? '' : ` ${labelOf(metric)} (${metric.better} is better)`;

function fallback({ code, untested }: AssessedClaim): string[] {
  if (untested) return [untested];
  return code
    ? [`\`${code.name}\` in \`${code.file}\`: ${code.lines} line${code.lines === 1 ? '' : 's'}`]
    : [];
}
