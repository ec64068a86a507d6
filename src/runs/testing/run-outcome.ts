/**
 * The part in which two runs of the same configuration, seed and threads must agree to the last bit, however often
 * they were interrupted.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadCheckpoint } from '../checkpoint/checkpoint.js';
import { readCurves, readSteps } from '../curves.js';
import { readResponses } from '../responses.js';
import { readSummary } from '../summary.js';

export interface RunOutcome {
  status: string;
  /** The rows without their times. */
  curves: object[];
  /** The rows of steps.csv; none when the run kept none. */
  steps: object[];
  /** The rows of responses.csv; none when the run kept none. */
  responses: object[];
  /** sha256 of each variable at the run's end: weights, running statistics, optimizer slots. */
  variables: Record<string, string>;
}

/** @throws UserError when the folder holds no run, or a damaged one */
export async function readOutcome(folder: string): Promise<RunOutcome> {
  const rows = readCurves(join(folder, 'curves.csv'));
  const steps = readdirSync(folder).includes('steps.csv') ? readSteps(join(folder, 'steps.csv')) : [];
  const responsesFile = join(folder, 'responses.csv');
  const responses = existsSync(responsesFile) ? readResponses(responsesFile) : [];
  const checkpoint = loadCheckpoint(join(folder, 'checkpoints'), (message) => {
    throw new Error(message);
  });
  const variables = Object.entries(checkpoint?.tensors ?? {}).map(([name, { shape, data }]) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return [name, createHash('sha256').update(JSON.stringify(shape)).update(bytes).digest('hex')];
  });
  return {
    status: readSummary(join(folder, 'summary.json')).status,
    curves: rows.map(({ images_per_second, seconds, ...row }) => row),
    steps,
    responses,
    variables: Object.fromEntries(variables),
  };
}
