import { z } from 'zod';

const keyPath = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*$/, 'a key path such as batch.size');
const match = z.record(keyPath, z.unknown());
const nonEmpty = (what: string) => `names no ${what}`;

/** What a cluster gives each run; any of it may be overridden by `--slurm key=value`. */
export const slurmSchema = z
  .strictObject({
    partition: z.string().min(1).optional(),
    account: z.string().min(1).optional(),
    qos: z.string().min(1).optional(),
    constraint: z.string().min(1).optional(),
    time: z
      .string()
      .regex(/^(\d+-)?\d+(:\d{2}){0,2}$/, 'minutes, hours:minutes:seconds or days-hours:minutes')
      .default('12:00:00'),
    cpus: z.int().min(1).default(2),
    gpus: z.int().min(0).default(0),
    memory: z
      .string()
      .regex(/^\d+[KMGT]?$/, 'a size such as 4G')
      .optional(),
    /** Runs at once, the `%max` of the array; as many as the cluster gives when left out. */
    maxRunning: z.int().min(1).optional(),
    /** How long before the time limit a run is told to save and make room. Slurm may do so a minute early. */
    warnSeconds: z.int().min(10).max(3600).default(120),
  })
  .prefault({});

/**
 * An experiment: a base config, axes that span a grid of cells, and seeds. A *cell* is a config without its seed,
 * a *run* is a cell and a seed.
 */
export const experimentSchema = z.strictObject({
  /** The folder under `results/`; the file's base name when left out. */
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,79}$/, 'lower-case letters, digits and hyphens')
    .optional(),
  title: z.string().min(1),
  /** What of the paper it repeats; the published values are looked up by table and cell. */
  reproduces: z
    .strictObject({
      table: z.int().min(1).max(8).optional(),
      figure: z.int().min(1).max(7).optional(),
      metric: z.enum(['valError']).default('valError'),
    })
    .optional(),
  /** The experiment whose cells these are to be compared with, by name. */
  baseline: z.string().min(1).optional(),
  /** A config file, relative to this one, or a config. */
  base: z.union([z.string().min(1), z.record(z.string(), z.unknown())]),
  /** Key path → the values it takes. Values are listed in the order in which they are to run. */
  axes: z
    .record(keyPath, z.array(z.unknown()).min(1, nonEmpty('value')))
    .refine((axes) => Object.keys(axes).length > 0, nonEmpty('axis')),
  /** Overrides that every cell gets after its axes, as `--set` does. */
  set: z.record(keyPath, z.unknown()).default({}),
  /** Combinations that are not run: `{ normalizer: batch, batch.size: [2, 4] }`. */
  exclude: z.array(match).default([]),
  seeds: z
    .array(z.int().min(0))
    .min(1, nonEmpty('seed'))
    .refine((seeds) => new Set(seeds).size === seeds.length, 'names a seed twice')
    .default([1]),
  /** Which runs go first, the lowest stage before the others, across experiments that are swept together. */
  order: z.array(z.strictObject({ stage: z.number(), runs: match })).default([]),
  /** Cells of the paper's table that this base cannot have, with the reason. */
  notPossible: z.array(z.strictObject({ cell: match, why: z.string().min(1) })).default([]),
  slurm: slurmSchema,
});

export type ExperimentFile = z.output<typeof experimentSchema>;
export type SlurmResources = z.output<typeof slurmSchema>;
