/** Each of the paper's claims with the experiments that test it, what they cost, and what the results so far say. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { studyOf } from '../analysis/collect.js';
import type { Contrast } from '../analysis/contrast.js';
import { contrastsOf } from '../analysis/contrasts.js';
import { differencesFromPaper } from '../analysis/differences.js';
import { type FewExamples, fewExamples } from '../analysis/few-examples.js';
import type { Study } from '../analysis/study.js';
import type { Verdict } from '../analysis/verdict.js';
import { loadExperiment, shippedExperiments } from '../experiments/experiment.js';
import { estimateRun, sideBySide } from '../sweep/estimate.js';
import type { Metric } from '../tasks/metric.js';
import { type Claim, paperClaims } from './list.js';

/** An experiment, which may test a claim. */
export interface Test {
  experiment: string;
  command: string;
  /** Hours of a machine with two cores, for all of its runs. */
  hours: number;
  runs: { done: number; planned: number };
}

/** The results of an experiment that bear on a claim; differences in the unit of its metric. */
export interface Evidence {
  experiment: string;
  metric: Metric;
  difference: string;
  published?: number;
  ours?: number;
  interval?: [number, number];
  seeds: number;
  verdict: Verdict;
  /** Given where so few examples were validated on that a verdict over seeds says little of others. */
  fewExamples?: FewExamples;
  differsFromPaper: string[];
}

export interface AssessedClaim {
  id: string;
  source: string;
  statement: string;
  tests: Test[];
  evidence: Evidence[];
  /** For claims about code: where, and how long it is. */
  code?: { file: string; name: string; lines: number };
  /** The reason why there are neither tests nor code. */
  untested?: string;
}

/** Costs are told for this machine, so that they do not depend on the one that asks. */
const cores = 2;

interface Known {
  study: Study;
  contrasts: Contrast[];
  test: Test;
}

/** Throws UserError when an experiment in the folder is wrong. */
export async function assessClaims(folder = 'experiments'): Promise<AssessedClaim[]> {
  const known = await examineAll(folder);
  return paperClaims.map((claim) => assess(claim, known));
}

/** Every experiment in the folder, also those that only prepare others; the shortest first. Throws as `assessClaims`. */
export async function experimentCosts(folder = 'experiments'): Promise<Test[]> {
  return (await examineAll(folder)).map(({ test }) => test);
}

async function examineAll(folder: string): Promise<Known[]> {
  const known: Known[] = [];
  for (const name of shippedExperiments(folder)) known.push(await examine(join(folder, `${name}.yaml`)));
  return known.sort((a, b) => a.test.hours - b.test.hours);
}

async function examine(file: string): Promise<Known> {
  const experiment = await loadExperiment(file);
  const study = await studyOf(experiment);
  // As a sweep does them: a run a core, side by side.
  const each = experiment.runs.map(
    ({ cell }) => estimateRun(experiment, cell, { jobs: cores, cores }).seconds,
  );
  const seconds = sideBySide(each, cores);
  const runs = study.cells.flatMap((cell) => cell.runs);
  return {
    study,
    contrasts: contrastsOf(study),
    test: {
      experiment: study.name,
      command: `gnbench sweep ${file}`,
      hours: Number((seconds / 3600).toPrecision(2)),
      runs: { done: runs.filter(({ outcome }) => outcome === 'completed').length, planned: runs.length },
    },
  };
}

function assess(claim: Claim, known: Known[]): AssessedClaim {
  const { id, source, statement, supports, ofOtherCells, only, code, untested } = claim;
  const relevant = known
    .filter(({ study }) => only?.(study) ?? true)
    .map((each) => ({
      ...each,
      contrasts: each.contrasts.filter(
        (contrast) => supports?.(contrast) && (ofOtherCells || contrast.ofThePaper),
      ),
    }))
    .filter((each) => each.contrasts.length > 0);
  const evidence = relevant.flatMap(({ study, contrasts }) =>
    contrasts
      .filter(({ verdict }) => verdict.outcome !== 'missing')
      .map(
        ({ label, published, ours, verdict }): Evidence => ({
          experiment: study.name,
          metric: study.metric,
          difference: label,
          published,
          ours: ours?.mean,
          interval: ours?.interval,
          seeds: ours?.n ?? 0,
          verdict,
          fewExamples: fewExamples(study),
          differsFromPaper: differencesFromPaper(study),
        }),
      ),
  );
  const shown = code && measureCode(code);
  const tests = relevant.map(({ test }) => test);
  return {
    id,
    source,
    statement,
    tests,
    evidence,
    code: shown,
    untested: tests.length === 0 && !shown ? untested : undefined,
  };
}

/** The lines of an exported function's body; undefined when the source does not hold it. */
function measureCode(code: { file: string; name: string }): AssessedClaim['code'] {
  const path = fileURLToPath(new URL(`../../${code.file}`, import.meta.url));
  if (!existsSync(path)) return undefined;
  const lines = readFileSync(path, 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith(`export function ${code.name}(`));
  if (start < 0) return undefined;
  const opens = lines.findIndex((line, index) => index >= start && line.endsWith('{'));
  const closes = lines.findIndex((line, index) => index > opens && line === '}');
  return {
    ...code,
    lines: lines.slice(opens + 1, closes).filter((line) => !/^\s*(\/\/|$)/.test(line)).length,
  };
}
