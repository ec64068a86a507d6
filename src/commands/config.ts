import { loadConfig } from '../config/load.js';
import { printConfig } from '../config/print.js';
import { dropsNeverReached, lengthInWords, type Resolved, rateInWords } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { withPlaces } from '../config/source-positions.js';
import { UserError } from '../errors.js';
import { trainedVariables } from '../models/parameter-groups.js';
import { checkPlan, type Plan, planRun } from '../models/plan.js';
import type { LayerDescription, ModelDescription } from '../nn/shape-net.js';
import { headOf } from '../tasks/index.js';
import { columns } from '../terminal/columns.js';

type Shown = Plan & { config: Config };

/**
 * `gnbench config show FILE`: prints the configuration with all defaults, as YAML that can be run, and behind it as
 * comments what follows from it: rate, steps, layers with groups, parameters, multiply-adds and memory.
 * @returns the exit code
 */
export async function configShow(
  file: string,
  options: { set?: string[]; data?: string; json?: boolean } = {},
): Promise<number> {
  const shown = await read(file, options.set, options.data);
  process.stdout.write(options.json ? `${JSON.stringify(asJson(shown), null, 2)}\n` : asText(shown));
  return 0;
}

/**
 * `gnbench config validate FILE…`: says of each file whether it is sound, as far as that can be known without data and weights.
 * @returns 0, or 2 when one of them could not
 */
export async function configValidate(
  files: string[],
  options: { set?: string[]; json?: boolean } = {},
): Promise<number> {
  const findings = [];
  for (const file of files) findings.push({ file, ...(await validate(file, options.set)) });
  if (options.json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else for (const { file, error } of findings) reportFinding(file, error);
  return findings.every(({ valid }) => valid) ? 0 : 2;
}

async function read(file: string, set: string[] = [], data?: string): Promise<Shown> {
  const config = await loadConfig(file, set);
  return {
    config,
    ...(await withPlaces(config, async () => planRun(config, data, await headOf(config)))),
  };
}

type ConfigError = Pick<UserError, 'message' | 'place' | 'fix'>;

async function validate(file: string, set?: string[]): Promise<{ valid: boolean; error?: ConfigError }> {
  try {
    const config = await loadConfig(file, set);
    await withPlaces(config, () => checkPlan(config));
    return { valid: true };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, place, fix } = error;
    return { valid: false, error: { message, place, fix } };
  }
}

function reportFinding(file: string, error: ConfigError | undefined): void {
  if (!error) process.stdout.write(`${file}: valid\n`);
  else
    process.stderr.write(`error: ${error.place}: ${error.message}\n${error.fix ? `  ${error.fix}\n` : ''}`);
}

function asJson({ config, sizes, classes, objects, resolved, model, memory }: Shown) {
  const { rateAt, rowSteps, ...numbers } = resolved;
  const { layers, parameters, flops, activations } = model;
  const rates = rateChanges(config, resolved);
  return {
    config,
    images: sizes,
    ...(objects && { classes, objects }),
    ...numbers,
    rates,
    model: { parameters, flops, activations, layers },
    memory,
  };
}

function asText({ config, sizes, classes, objects, resolved, model, memory }: Shown): string {
  const { batch, learningRate } = config;
  const { imagesPerStep, stepsPerEpoch, totalSteps, runName } = resolved;
  const drops = rateChanges(config, resolved).slice(1);
  const later = drops.map((change) => `, ${change.rate} from ${placeInWords(change)}`).join('');
  const never = dropsNeverReached(config);
  const missed =
    never.length > 0 ? ` (dropAt ${never.join(', ')}: never, there are ${lengthInWords(config)})` : '';
  const shape = learningRate.schedule === 'cosine' ? ', then half a cosine down to 0' : later + missed;
  const workers = batch.workers === 1 ? '' : `: ${batch.workers} workers with ${batch.size} each`;
  const lines = [
    `run: ${runName}`,
    `images: ${count(sizes.train)} for training, ${count(sizes.validation)} for validation`,
    ...(objects
      ? [
          `objects: ${count(objects.train)} and ${count(objects.validation)} of ${count(classes)} classes, before subsets`,
        ]
      : []),
    `steps: ${count(totalSteps)}, ${count(stepsPerEpoch)} an epoch, of ${count(imagesPerStep)} images${workers}`,
    `${rateInWords(config, resolved)}${shape}`,
    `model: ${count(model.parameters)} parameters${trainedInWords(config, model)}, ${count(model.flops)} multiply-adds an image forward`,
    `memory of a step: about ${mebibytes(memory.total)} MiB beside engine and data, ${mebibytes(memory.activations)} MiB of it feature maps`,
    '',
    ...table(model.layers),
  ];
  return `${printConfig(config)}\n${lines.map((line) => `# ${line}`.trimEnd()).join('\n')}\n`;
}

function trainedInWords({ optimizer }: Config, { parameters, variables }: ModelDescription): string {
  const sizes = trainedVariables(variables, optimizer).map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const trained = sizes.reduce((sum, size) => sum + size, 0);
  return trained === parameters ? '' : `, ${count(trained)} of them trained`;
}

/**
 * The rates that the first steps of the epochs have, where they change; of a rate that always changes only the first.
 */
function rateChanges(config: Config, resolved: Resolved): RateChange[] {
  const { rateAt, stepsPerEpoch } = resolved;
  if (config.steps !== undefined) return stepChanges(config, resolved);
  const changes: { fromEpoch: number; rate: number }[] = [];
  const constant = config.learningRate.schedule === 'cosine' ? 1 : Math.min(config.epochs!, 10_000);
  for (let epoch = Math.floor(config.learningRate.warmupEpochs) + 1; epoch <= constant; epoch++) {
    const rate = rateAt((epoch - 1) * stepsPerEpoch);
    if (rate !== changes.at(-1)?.rate) changes.push({ fromEpoch: epoch, rate });
  }
  return changes;
}

/** The same of a training in steps, which count from 1: behind the warm-up and at each drop. */
function stepChanges(
  { learningRate }: Config,
  { rateAt, totalSteps, stepsPerEpoch }: Resolved,
): RateChange[] {
  const { schedule, dropAt, warmupEpochs, warmupSteps = warmupEpochs * stepsPerEpoch } = learningRate;
  const drops = schedule === 'step' ? dropAt.map((at) => (at < 1 ? at * totalSteps : at)) : [];
  const steps = [warmupSteps, ...drops].map(Math.round).filter((step) => step < totalSteps);
  return steps.map((step) => ({ fromStep: step + 1, rate: rateAt(step) }));
}

type RateChange = { fromEpoch: number; rate: number } | { fromStep: number; rate: number };

const placeInWords = (change: RateChange): string =>
  'fromStep' in change ? `step ${count(change.fromStep)}` : `epoch ${change.fromEpoch}`;

function table(layers: LayerDescription[]): string[] {
  const rows = layers.map(({ name, kind, outputShape, groups, parameters, flops }) => [
    name,
    kind,
    outputShape.join('×'),
    groups === undefined ? '' : count(groups),
    count(parameters),
    count(flops),
  ]);
  const heads = ['layer', 'kind', 'output', 'groups', 'parameters', 'multiply-adds'];
  return columns([heads, ...rows], [3, 4, 5]).split('\n');
}

const count = (number: number) => number.toLocaleString('en-US');
const mebibytes = (bytes: number) => count(Math.ceil(bytes / 2 ** 20));
