import { z } from 'zod';

const keyPath = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]*(\.([A-Za-z][A-Za-z0-9]*|\d+))*$/, 'a key path such as batch.size');
const match = z.record(keyPath, z.unknown());
/** The names that an experiment may have; its folder of results has the same one. */
export const experimentName = /^[a-z0-9][a-z0-9-]{0,79}$/;
/** YAML and --slurm read 30 as a number; names stay as they are written, for 0123 is not 123. */
const numberOr = (text: z.ZodString) =>
  z.preprocess((value) => (typeof value === 'number' ? String(value) : value), text);
const nonEmpty = (what: string) => `names no ${what}`;

/** The resources that a cluster gives each run; each may be overridden by `--slurm key=value`. */
export const slurmSchema = z
  .strictObject({
    partition: z.string().min(1).optional().describe('As for sbatch'),
    account: z.string().min(1).optional().describe('As for sbatch'),
    qos: z.string().min(1).optional().describe('As for sbatch'),
    constraint: z.string().min(1).optional().describe('As for sbatch'),
    time: numberOr(
      z.string().regex(/^(\d+-)?\d+(:\d{2}){0,2}$/, 'minutes, hours:minutes:seconds or days-hours:minutes'),
    )
      .default('12:00:00')
      .describe("Each run's time limit; 12:00:00 when left out"),
    cpus: z.int().min(1).default(2).describe('Cores a run'),
    gpus: z.int().min(0).default(0).describe('GPUs a run'),
    memory: numberOr(z.string().regex(/^\d+[KMGT]?$/, 'a size such as 4G'))
      .optional()
      .describe('Of a run, such as 4G'),
    maxRunning: z
      .int()
      .min(1)
      .optional()
      .describe('Runs at once; as many as the cluster gives when left out'),
    warnSeconds: z
      .int()
      .min(10)
      .max(3600)
      .default(120)
      .describe('How long before its time limit a run is told to save; Slurm may do so a minute early'),
  })
  .prefault({});

/**
 * An experiment: a base config, axes that span a grid of cells, and seeds. A *cell* is a config without its seed,
 * a *run* is a cell and a seed.
 */
export const experimentSchema = z.strictObject({
  name: z
    .string()
    .regex(experimentName, 'lower-case letters, digits and hyphens')
    .optional()
    .describe("The folder under results/; the file's base name when left out"),
  title: z.string().min(1).describe('What tables and figures are headed with'),
  reproduces: z
    .strictObject({
      table: z.int().min(1).max(8).optional().describe('Of the paper'),
      figure: z.int().min(1).max(7).optional().describe('Of the paper'),
      metric: z
        .enum(['valError'])
        .default('valError')
        .describe('The paper compares validation errors; `metric` beside `reproduces` names another one'),
    })
    .optional()
    .describe('What of the paper it repeats; the published values are looked up by table and cell'),
  metric: z
    .string()
    .regex(/^[a-z][A-Za-z0-9]*$/, 'the name of a metric such as error')
    .optional()
    .describe('The metric that is compared, by name; the first of the task when left out'),
  baseline: z
    .string()
    .min(1)
    .optional()
    .describe('The experiment whose cells these are to be compared with, by name'),
  base: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())])
    .describe('A configuration, or the path of one, relative to this file'),
  axes: z
    .record(keyPath, z.array(z.unknown()).min(1, nonEmpty('value')))
    .refine((axes) => Object.keys(axes).length > 0, nonEmpty('axis'))
    .describe(
      'Key of the configuration → the values that it takes, in the order in which they are to run; every combination is a cell',
    ),
  set: z
    .record(keyPath, z.unknown())
    .default({})
    .describe('Keys that every cell gets after its axes, as by --set'),
  exclude: z
    .array(match)
    .default([])
    .describe('Combinations that are not run: { normalizer: batch, batch.size: [2, 4] }'),
  seeds: z
    .array(z.int().min(0))
    .min(1, nonEmpty('seed'))
    .refine((seeds) => new Set(seeds).size === seeds.length, 'names a seed twice')
    .default([1])
    .describe('Each cell is run once with each'),
  order: z
    .array(
      z.strictObject({
        stage: z.number().describe('The lowest goes first'),
        runs: match.describe('Which runs are of this stage, by the values of their axes and their seed'),
      }),
    )
    .default([])
    .describe('Which runs go first, also across experiments that are swept together'),
  notPossible: z
    .array(
      z.strictObject({
        cell: match.describe('Its values on the axes'),
        why: z.string().min(1).describe('The reason, for the table'),
      }),
    )
    .default([])
    .describe("Cells of the paper's table that this base cannot have"),
  slurm: slurmSchema.describe('What a cluster gives each run'),
});

export type ExperimentFile = z.output<typeof experimentSchema>;
export type SlurmResources = z.output<typeof slurmSchema>;
