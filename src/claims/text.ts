/** The claims for people: as a list in a terminal, as a table in the README. */

import { groupBy } from '../analysis/group-by.js';
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

/** A Markdown table of the claims. */
export function renderClaimsMarkdown(claims: readonly AssessedClaim[]): string {
  const rows = claims.map((claim) => {
    const tests = claim.tests.map(({ experiment }) => `\`${experiment}\``);
    const evidence = shortest(claim.evidence);
    return [
      claim.source,
      claim.statement,
      tests.join(', ') || '–',
      [...evidence, ...fallback(claim)].join('<br>') || 'not run yet',
    ];
  });
  return `${grid(['where', 'the paper says', 'tested by', 'evidence so far'], rows)}\n`;
}

/** A Markdown table of what the experiments that test the claims cost. */
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

/** `GN − BN at 2: −2.56 [−2.95, −2.22] in 3 seeds, paper −10.6: agrees in direction only`. */
function evidenceInWords({ difference, published, ours, interval, seeds, verdict }: Evidence): string {
  const paper = published === undefined ? '' : `, paper ${signed(published, 1)}`;
  if (ours === undefined) return `${difference}: ${verdictInWords(verdict)}${paper}`;
  const range = interval ? ` [${interval.map((end) => signed(end, 2)).join(', ')}]` : '';
  const sample = `in ${seeds} seed${seeds === 1 ? '' : 's'}`;
  return `${difference}: ${signed(ours, 2)}${range} ${sample}${paper}: ${verdictInWords(verdict)}`;
}

function fallback({ code, untested }: AssessedClaim): string[] {
  if (untested) return [untested];
  return code
    ? [`\`${code.name}\` in \`${code.file}\`: ${code.lines} line${code.lines === 1 ? '' : 's'}`]
    : [];
}

/** At most three lines an experiment: a table row is no place for every difference. The last, the smallest batch's, is one. */
function shortest(evidence: readonly Evidence[]): string[] {
  return [...groupBy(evidence, ({ experiment }) => experiment)].flatMap(([experiment, all]) => {
    const shown = all.length <= 3 ? all : [...all.slice(0, 2), all.at(-1)!];
    const more = all.length > 3 ? [`and ${all.length - 3} more (\`${experiment}\`)`] : [];
    return [...shown.map((each) => `${evidenceInWords(each)} (\`${experiment}\`)`), ...more];
  });
}
