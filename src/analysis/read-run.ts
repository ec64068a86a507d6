/** A run as its `curves.csv` and `summary.json` describe it, whatever state it was left in. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { UserError } from '../errors.js';
import { readCurves } from '../runs/curves.js';
import { readRunFacts } from '../runs/environment.js';
import { readResponses } from '../runs/responses.js';
import { metricStatistics, reportedStatistic } from '../runs/statistics.js';
import { metricsOf, readSummary, type Summary } from '../runs/summary.js';
import { labelOf, type Metric } from '../tasks/metric.js';
import type { StudyRun } from './study.js';

interface Planned {
  seed: number;
  epochs?: number;
  /** The name of the metric to compare; the task's first without it. */
  metric?: string;
  model: Pick<Config['model'], 'name'>;
}

/**
 * A run as its files tell it; never throws for what a run that was killed may leave behind.
 */
export async function readRun(
  folder: string,
  { seed, epochs, metric: wanted, model }: Planned,
): Promise<StudyRun> {
  const [curvesFile, summaryFile] = [join(folder, 'curves.csv'), join(folder, 'summary.json')];
  const run: StudyRun = {
    seed,
    folder: resolve(folder),
    outcome: 'missing',
    epochs: { done: 0, total: epochs },
    rows: [],
    metrics: metricsOf(),
  };
  if (!existsSync(curvesFile) && !existsSync(summaryFile)) return run;
  const problems: string[] = [];
  const attempt = async <Value>(
    what: string,
    read: () => Value | Promise<Value>,
  ): Promise<Value | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(`${what}: ${error.message}`);
      return undefined;
    }
  };
  const rows = (await attempt('curves.csv', () => readCurves(curvesFile))) ?? [];
  const summary = await attempt('summary.json', () => readSummary(summaryFile));
  const responsesFile = join(folder, 'responses.csv');
  const responses = existsSync(responsesFile)
    ? await attempt('responses.csv', () => readResponses(responsesFile))
    : undefined;
  const done = rows.at(-1)?.epoch ?? 0;
  const total = summary?.epochs.total ?? epochs;
  if (summary?.status === 'completed' && problems.length === 0 && total && done < total) {
    problems.push(
      `curves.csv ends at epoch ${done} of ${total}: restore it, or delete the run and train it again`,
    );
  }
  const metrics = withFirst(metricsOf(summary), wanted);
  const value = metricStatistics(rows, metrics[0])[reportedStatistic(model.name)];
  if (summary?.status === 'completed' && problems.length === 0 && !Number.isFinite(value)) {
    problems.push(`curves.csv holds no validation ${labelOf(metrics[0])}`);
  }
  const outcome = problems.length > 0 || !summary ? 'unreadable' : summary.status;
  return {
    ...run,
    outcome,
    epochs: { done, total },
    rows,
    ...(responses && { responses }),
    summary,
    arithmetic: arithmeticOf(folder),
    data: readRunFacts(join(folder, 'environment.json'))?.data,
    metrics,
    value: outcome === 'completed' ? value : undefined,
    problem: problems.length > 0 ? problems.join('; ') : problemOf(outcome, done, total, summary),
  };
}

/** The metrics with the wanted one before the others, if it is among them. */
function withFirst(metrics: readonly Metric[], wanted: string | undefined): readonly Metric[] {
  const isWanted = ({ name }: Metric) => name === wanted;
  return [...metrics.filter(isWanted), ...metrics.filter((metric) => !isWanted(metric))];
}

/** The arithmetic in a run's own configuration, for the experiment's may have changed since; undefined where it cannot be read. */
function arithmeticOf(folder: string): StudyRun['arithmetic'] {
  try {
    const file = join(folder, 'config.yaml');
    const { engine, precision } = parseConfig(readFileSync(file, 'utf8'), { file });
    return { convolutions: engine.convolutions, precision };
  } catch {
    return undefined;
  }
}

function problemOf(
  outcome: string,
  done: number,
  total: number | undefined,
  summary?: Summary,
): string | undefined {
  const at = `epoch ${done} of ${total ?? 'unknown'}`;
  if (outcome === 'completed') return undefined;
  if (outcome === 'diverged') return `diverged at step ${summary?.divergedAtStep ?? summary?.steps.done}`;
  if (outcome === 'failed') return `failed after ${at}: ${summary?.failure?.message ?? 'no reason recorded'}`;
  return outcome === 'running' ? `running or killed, ${at} done` : `interrupted, ${at} done`;
}
