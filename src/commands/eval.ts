import { loadConfig } from '../config/load.js';
import { withPlaces } from '../config/source-positions.js';
import { examplesOf } from '../datasets/dataset.js';
import { UserError } from '../errors.js';
import { onStop } from '../process/signals.js';
import { classificationMeasures, valueWithUnit } from '../tasks/metric.js';
import { type EvaluatedWeights, evaluateWeights } from '../training/evaluate-run.js';
import { type ScoreFlags, score } from './detection/score.js';

export interface EvalFlags extends Partial<ScoreFlags> {
  weights?: string;
  set: string[];
  data?: string;
  batch?: number;
  batchSize?: number;
  json?: boolean;
  quiet?: boolean;
  debug?: boolean;
}

/**
 * `gnbench eval CONFIG --weights FILE|RUN`: the error of those weights on the configuration's validation images; or, with
 * `--detections`, the average precision of anybody's detections.
 * @returns the exit code: 1 when the loss is not finite
 */
export async function evaluateCommand(file: string | undefined, flags: EvalFlags): Promise<number> {
  const { detections, weights } = flags;
  if (detections !== undefined) {
    if (file === undefined && weights === undefined) return score({ ...flags, detections });
    throw new UserError('detections are scored without a configuration and weights', {
      place: '--detections',
      fix: 'gnbench eval --detections FILE --annotations FILE',
    });
  }
  if (file === undefined || weights === undefined) {
    throw new UserError('a configuration and weights are needed, or detections', {
      place: 'gnbench eval',
      fix: 'gnbench eval CONFIG --weights FILE, or gnbench eval --detections FILE --annotations FILE',
    });
  }
  const note = (message: string) => {
    if (!flags.quiet) process.stderr.write(`${message}\n`);
  };
  const stop = onStop(({ signal }) => note(`\n${signal}: ending after this batch; again to exit at once`));
  const size = flags.batch ?? flags.batchSize;
  const batch = size === undefined ? [] : [`evaluate.batchSize=${size}`];
  const config = await loadConfig(file, [...flags.set, ...batch]);
  const options = {
    dataFolder: flags.data,
    quiet: flags.quiet ?? false,
    debug: flags.debug ?? false,
    stopRequested: () => stop.requested() !== undefined,
    note,
  };
  const result = await withPlaces(config, () => evaluateWeights(config, weights, options));
  if (!result) return stop.requested()!.exitCode;
  process.stdout.write(
    flags.json
      ? `${JSON.stringify(asJson(config.name, weights, result), null, 2)}\n`
      : asText(config.name, weights, result),
  );
  return Number.isFinite(result.found.loss ?? 0) ? 0 : 1;
}

function asJson(name: string, file: string, result: EvaluatedWeights) {
  const { found, images, seconds, weights, dataset } = result;
  const { error, ...others } = found;
  return {
    name,
    weights: { file, sha256: weights.sha256, metadata: weights.metadata },
    dataset: { name: dataset.name, official: dataset.official, note: dataset.note },
    images,
    // A classification's error is called so beside the top-5 error. JSON has no NaN: null.
    ...(error !== undefined && { top1Error: error }),
    ...others,
    seconds,
    imagesPerSecond: images / seconds,
  };
}

function asText(name: string, file: string, result: EvaluatedWeights): string {
  const { found, images, seconds, weights, dataset } = result;
  const examples = examplesOf(dataset);
  const names: Record<string, string> = { error: 'top-1 error', top5Error: 'top-5 error' };
  const lines = Object.entries(found).map(([key, value]) => {
    const metric = classificationMeasures.metrics.find(
      ({ name }) => name === key.replace('top5Error', 'error'),
    );
    return `${(names[key] ?? key).padEnd(13)}${metric ? valueWithUnit(metric, value) : value.toFixed(4)}`;
  });
  return [
    `${name} with the weights of ${file} (sha256 ${weights.sha256.slice(0, 12)}…)`,
    ...lines,
    `${examples.padEnd(13)}${images.toLocaleString('en')} in ${seconds.toFixed(1)} s, ${(images / seconds).toFixed(0)} ${examples}/s`,
    '',
  ].join('\n');
}
