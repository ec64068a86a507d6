/**
 * The schema of a training configuration: the one source of its types, defaults and checks, and of
 * `configs/schema.json`. Defaults are the paper's where it has them (Wu & He 2018, §4.1), else those of the standard
 * CIFAR-10 recipe (He et al. 2016, "Deep Residual Learning", §4.2).
 *
 * A key that is added needs a default under which every older configuration means what it meant: identities leave
 * defaults out (see `identity`).
 */
import { z } from 'zod';
import { dataSchemas } from '../datasets/schema.js';
import { checkDetector } from './check-detector.js';
import { checkLengths, defaultDrops } from './check-lengths.js';
import { byName } from './named.js';
import { initSchema } from './schema-init.js';
import { isDetectorName, modelSchema } from './schema-model.js';
import { allNormalizers, defaultGroups, normalizerSchema, statisticsSpan } from './schema-normalizer.js';
import { optimizerSchema } from './schema-optimizer.js';
import { taskSchema } from './schema-task.js';

const count = z.int().min(1);

const batchSchema = z.strictObject({
  size: count
    .max(65_536)
    .default(32)
    .describe(
      'N: the images that share batch statistics, the paper\'s "batch size" (batch_size, images per worker)',
    ),
  workers: count
    .max(4_096)
    .default(1)
    .describe(
      'W: simulated workers (GPUs, replicas, world_size); a step sees N·W images, and its gradient is the mean over them',
    ),
  microSteps: z
    .union([z.literal('auto'), count.max(65_536)])
    .default('auto')
    .describe(
      'Gradient accumulation (gradAccumSteps): parts that a step is computed in when its activations do not fit in memory; the result is the same, except with dropout. A detector has one for each worker',
    ),
});

const learningRateSchema = z.strictObject({
  base: z
    .number()
    .gt(0)
    .max(1_000)
    .default(0.1)
    .describe('The learning rate (lr) for `per` images a step: base · size · workers / per is used'),
  per: z
    .number()
    .gt(0)
    .max(1_000_000)
    .default(128)
    .describe(
      'Images a step that `base` is meant for (lr_scale_batch, base batch size): the linear scaling rule',
    ),
  dropAt: z
    .array(z.number().gt(0).max(1_000_000))
    .max(100)
    .default(defaultDrops.dropAt)
    .describe(
      'milestones: when the rate is multiplied by `factor`. Below 1 a fraction of the training, from 1 on the epoch after which, or with `steps` the step',
    ),
  factor: z
    .number()
    .gt(0)
    .max(1)
    .default(defaultDrops.factor)
    .describe('gamma: each drop multiplies the rate by it'),
  warmupEpochs: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe('warmup_epochs: epochs of linear rise from 0 to the rate'),
  warmupSteps: count
    .max(1_000_000_000)
    .optional()
    .describe('warmup_iters: the same in steps, instead of `warmupEpochs`'),
  warmupFrom: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      'warmup_factor: share of the rate that the first step of the rise has, such as 0.333; the step behind the rise has all of it',
    ),
  schedule: z
    .enum(['step', 'cosine', 'constant'])
    .default('step')
    .describe(
      'lr_scheduler. step: the drops of `dropAt`; cosine: half a cosine down to 0; constant: neither',
    ),
});

const evaluateSchema = z.strictObject({
  every: count
    .max(1_000_000)
    .default(1)
    .describe('Epochs between evaluations (eval_interval); the last epoch always has one'),
  everySteps: count
    .max(1_000_000_000)
    .optional()
    .describe('Steps between them instead, and between the rows of curves.csv; the last step always has one'),
  batchSize: count
    .max(65_536)
    .optional()
    .describe(
      'Images evaluated at once (eval_batch_size); no effect on the result. 250 when left out, 4 for detectors',
    ),
  statistics: z
    .enum(['running', 'precise'])
    .default('running')
    .describe('BN: running averages, or statistics computed anew over `preciseImages` training images'),
  preciseImages: count
    .max(100_000_000)
    .default(10_000)
    .describe(
      'Images for precise statistics, at most the training set, in whole batches of 250 and at least one',
    ),
});

const checkpointSchema = z.strictObject({
  everySteps: count
    .optional()
    .describe('Steps between checkpoints (save_steps), beside the one after each epoch'),
  everyMinutes: z
    .number()
    .gt(0)
    .max(1_000_000)
    .default(10)
    .describe('Minutes between checkpoints, beside the one after each epoch'),
  keep: count.max(1_000).default(2).describe('Number of the newest checkpoints that stay on disk'),
});

const engineSchema = z.strictObject({
  variant: z
    .enum(['auto', 'cpu', 'cuda'])
    .default('auto')
    .describe('auto: CUDA where there is an NVIDIA device, else the CPU'),
  intraOpThreads: count
    .max(4_096)
    .optional()
    .describe('Threads within one operation (num_threads); planned from cores and batch when left out'),
  interOpThreads: count
    .max(4_096)
    .optional()
    .describe('Operations that run side by side; planned when left out'),
  compiler: z
    .enum(['auto', 'xla', 'none'])
    .optional() // a default would stand in the configurations of runs that never had the key
    .describe(
      "xla: TensorFlow's compiler makes a few dozen kernels of a step, in place of gnbench's own; auto, or left out: on a GPU",
    ),
  convolutions: z
    .enum(['direct', 'winograd'])
    .default('direct')
    .describe(
      "winograd: 3×3 convolutions by Winograd's filtering, on the CPU, in bfloat16 if it has no unit for that: faster, with rounding errors two to three times float32's",
    ),
  memoryGB: z
    .number()
    .positive()
    .max(1e6)
    .optional()
    .describe(
      'GiB of memory that the run may use, for batch.microSteps: auto; when left out, its share of what the GPU has, or of the limit of the machine, its container or its Slurm job',
    ),
});

const logSchema = z.strictObject({
  everySteps: z
    .int()
    .min(0)
    .default(0)
    .describe('Steps between rows of steps.csv (log_interval); 0 for none'),
  responses: z
    .array(z.string().min(1).max(100))
    .min(1)
    .max(64)
    .refine((layers) => new Set(layers).size === layers.length, 'names a convolution twice')
    .optional()
    .describe(
      'Convolutions whose responses, before the normalizer, go to responses.csv after each evaluation: 1, 20, 80 and 99 percent of them are smaller (Figure 6)',
    ),
});

/** A key per aspect of a run, before cross-field checks and the defaults that depend on other keys. */
const fieldsSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
      'letters, digits, ".", "_" and "-", a letter or digit first, 100 at most',
    )
    .optional()
    .describe("The name that the run's folder begins with; the file's base name when left out"),
  model: modelSchema.describe('The network'),
  normalizer: normalizerSchema.describe('The normalization of its features'),
  data: byName(dataSchemas).describe('The images'),
  task: taskSchema.optional().describe('The task; classification when left out'),
  init: initSchema
    .optional()
    .describe('Weights to begin with (pretrained); scratch, as without it, draws them by the seed'),
  batch: batchSchema.prefault({}).describe('Images a step, workers, gradient accumulation'),
  learningRate: learningRateSchema
    .prefault({})
    .describe('The learning rate (lr) and its schedule: milestones, gamma, warmup'),
  optimizer: optimizerSchema
    .prefault({})
    .describe(
      'SGD: momentum, weight decay, frozen parts (freeze), rates of parts (lr_multipliers, param groups)',
    ),
  epochs: count
    .max(1_000_000)
    .optional()
    .describe('Passes over the training images (max_epochs); 100 when left out'),
  steps: count
    .max(1_000_000_000)
    .optional()
    .describe('The length of the training in steps (max_iter), instead of `epochs`'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(1)
    .describe('The seed of initial weights, order and augmentation'),
  precision: z
    .enum(['float32', 'tf32', 'bfloat16'])
    .default('float32')
    .describe(
      'bfloat16: activations and convolutions; parameters, statistics and updates stay float32. tf32: on a GPU, the factors of convolutions and products are rounded to 10 bits of mantissa',
    ),
  evaluate: evaluateSchema.prefault({}).describe('Validation after epochs'),
  checkpoint: checkpointSchema.prefault({}).describe('Checkpoints, from which a run can be resumed'),
  engine: engineSchema.prefault({}).describe('Device and threads'),
  log: logSchema.prefault({}).describe('Files that are written beside the curves'),
});

export const configSchema = fieldsSchema.superRefine(checkTogether).transform((fields) => {
  // In the schema's order, for a key that is filled in here stands where it would be written.
  const { steps, epochs = steps ? undefined : 100, seed, precision, ...others } = fields;
  const { evaluate, checkpoint, engine, log, ...first } = others;
  const { model, normalizer, learningRate, optimizer } = first;
  const { every, batchSize = isDetectorName(model.name) ? 4 : 250, ...rest } = evaluate;
  const { parts } = normalizer;
  const filled =
    parts &&
    Object.fromEntries(Object.entries(parts).map(([part, each]) => [part, withGroups(each, model.name)]));
  return present({
    ...first,
    learningRate: present(learningRate),
    normalizer: present({ ...withGroups(normalizer, model.name), parts: filled }),
    optimizer: present(optimizer),
    epochs,
    steps,
    seed,
    precision,
    evaluate: present({ every, batchSize, ...rest }),
    checkpoint,
    engine,
    log: present(log),
  });
});

/** GN without a number of groups gets the model's, in the place where it would be written. */
function withGroups<Normalizer extends { name: string; groups?: number; channelsPerGroup?: number }>(
  normalizer: Normalizer,
  model: Parameters<typeof defaultGroups>[0],
): Normalizer {
  const { name, ...rest } = normalizer;
  if (name !== 'group' || (rest.groups ?? rest.channelsPerGroup)) return normalizer;
  return { name, groups: defaultGroups(model), ...rest } as unknown as Normalizer;
}

/**
 * Drops the keys whose values amount to nothing, such as `init: scratch` and `frozen: []`, as if they were not
 * written.
 */
const present = <Fields extends object>(fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;

/** A configuration with every default filled in, except `name`. */
export type ConfigFields = z.output<typeof configSchema>;

/** A configuration with every default filled in. */
export type Config = ConfigFields & { name: string };

/** Checks keys against each other; each finding points at the key to change. */
function checkTogether(config: z.output<typeof fieldsSchema>, context: z.RefinementCtx): void {
  const { normalizer, batch } = config;
  checkDetector(config, context);
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  for (const { path, normalizer: each } of allNormalizers(normalizer)) {
    if (each.name === 'group' && each.groups && each.channelsPerGroup) {
      const message = `stands beside ${path.join('.')}.groups: give one of them`;
      problem([...path, 'channelsPerGroup'], message);
    }
    if (each.name === 'none' && each.zeroBranches && each.weightStandardization) {
      problem(
        [...path, 'zeroBranches'],
        'cannot be combined with weightStandardization: no filter of zeros has the variance 1',
      );
    }
    if (each.name === 'weight-norm' && config.model.name.startsWith('preact-')) {
      problem(
        [...path, 'name'],
        `has no length for the last filters of a block with pre-activation, behind which no layer follows: choose ${config.model.name.replace('preact-', '')}`,
      );
    }
    if (each.name === 'batch-renorm' && each.warmup[1] < each.warmup[0]) {
      problem([...path, 'warmup', 1], 'comes before the share at which the bounds begin to rise');
    }
  }
  checkLengths(config, problem);
  if (config.optimizer.emaDecay > 0 && config.evaluate.statistics === 'precise') {
    problem(
      ['optimizer', 'emaDecay'],
      'cannot be combined with precise statistics, which use the latest weights',
    );
  }
  const span = statisticsSpan(normalizer);
  if (span === 'step' && typeof batch.microSteps === 'number' && batch.microSteps > 1) {
    problem(
      ['batch', 'microSteps'],
      'must be 1: synchronized statistics are computed over all images of a step',
    );
  } else if (typeof batch.microSteps === 'number') {
    // BN's statistics are a worker's, so a worker's images stay together.
    const [whole, what] =
      span === 'worker' ? [batch.workers, 'workers'] : [batch.workers * batch.size, 'images of a step'];
    if (whole % batch.microSteps !== 0) {
      problem(['batch', 'microSteps'], `is ${batch.microSteps}, which does not divide the ${whole} ${what}`);
    }
  }
}
