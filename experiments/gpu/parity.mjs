/**
 * The same training steps on the device and, by the definitions and uncompiled, on the CPU: one update and twenty, for
 * every normalizer; and twice on the device, for what `--deterministic` promises.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const script = fileURLToPath(new URL('../../dist/bench/steps-child.js', import.meta.url));
const run = promisify(execFile);

/** The largest difference that is accepted after one update, of the update's norm. */
export const accepted = { float32: 1e-4, tf32: 5e-3, bfloat16: 5e-2 };

const others = ['layer', 'instance', 'sync-batch', 'batch-renorm', 'filter-response', 'weight-norm', 'none'];

/** Cases in the order of their importance. */
export function parityCases({ device, short }) {
  const precisions = device === 'gpu' ? ['float32', 'tf32', 'bfloat16'] : ['float32', 'bfloat16'];
  const main = ['group', 'batch'].flatMap((normalizer) =>
    precisions.map((precision) => ({ model: 'resnet20', normalizer, precision })),
  );
  const rest = others.map((normalizer) => ({ model: 'resnet20', normalizer, precision: 'float32' }));
  // gnbench's own kernels, which XLA leaves out.
  const own = [...main, ...rest]
    .filter(({ precision }) => precision !== 'tf32')
    .map((one) => ({ ...one, compiler: 'none' }));
  return short
    ? [main[0], own[0]]
    : [...main, ...own, ...rest, { model: 'resnet18', normalizer: 'group', precision: 'float32' }];
}

/** The result of a case: relative differences after 1 update and after all, and in the last loss. */
export async function comparePair(
  { model, normalizer, precision, compiler = 'xla' },
  { device, short, signal },
) {
  const text = (own) =>
    `model: {name: ${model}}\nnormalizer: {name: ${normalizer}}\ndata: {name: cifar10}\n` +
    `batch: {size: 4, workers: 2}\nprecision: ${own}\n`;
  const steps = short ? 3 : 20;
  const variant = device === 'gpu' ? 'cuda' : 'cpu';
  const child = async (settings, environment = {}) => {
    const env = { ...process.env, ...environment };
    const options = { env, signal, maxBuffer: 2 ** 30 };
    const setting = JSON.stringify({ variant, side: 32, steps, ...settings });
    return JSON.parse((await run(process.execPath, [script, setting], options)).stdout);
  };
  // By the definitions: kernels of the CPU and of the GPU share what reads their inputs, and so could share its faults.
  const ofReference = { config: text('float32'), compiler: 'none', use: 'definitions' };
  const onCpu = () => child(ofReference, { CUDA_VISIBLE_DEVICES: '-1' });
  const [reference, tested] = await Promise.all([
    once(`${model} ${normalizer}`, onCpu),
    child({ config: text(precision), compiler }),
  ]);
  const { start } = reference;
  const oneUpdate = difference(tested.first, reference.first, start);
  return {
    model,
    normalizer,
    precision,
    compiler,
    device: tested.device,
    oneUpdate,
    allUpdates: difference(tested.last, reference.last, start),
    steps,
    loss: Math.abs(tested.losses.at(-1) - reference.losses.at(-1)) / reference.losses.at(-1),
    accepted: accepted[precision],
    holds: oneUpdate <= accepted[precision],
  };
}

/** References by their case: precisions and compilers of a case are compared with the same one. */
const references = new Map();

function once(name, compute) {
  if (!references.has(name)) references.set(name, compute());
  return references.get(name);
}

/** The same steps in two processes: whether every bit of every variable is the same. */
export async function compareTwice({ device, deterministic, signal, compiler = 'xla', steps = 10 }) {
  const config =
    'model: {name: resnet20}\nnormalizer: {name: batch}\ndata: {name: cifar10}\nbatch: {size: 8}\n';
  const variant = device === 'gpu' ? 'cuda' : 'cpu';
  const setting = JSON.stringify({ config, variant, compiler, side: 32, steps, deterministic });
  const options = { env: process.env, signal, maxBuffer: 2 ** 30 };
  const results = await Promise.all([1, 2].map(() => run(process.execPath, [script, setting], options)));
  const [one, two] = results.map(({ stdout }) => JSON.parse(stdout));
  return { deterministic, steps, sameBits: one.last.sha256 === two.last.sha256 };
}

/** How far two networks are apart, of the way that one of them has come from its start. */
function difference(...networks) {
  const [x, y, start] = networks.map(
    ({ values }) => new Float32Array(Uint8Array.from(Buffer.from(values, 'base64')).buffer),
  );
  let [apart, way] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    apart += (x[i] - y[i]) ** 2;
    way += (y[i] - start[i]) ** 2;
  }
  return Math.sqrt(apart / way);
}
