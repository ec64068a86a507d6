/** A run from its configuration to its summary: `(config, seed) → curves`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { configIdentity } from '../config/identity.js';
import { parseConfig } from '../config/load.js';
import { printConfig } from '../config/print.js';
import { dropsNeverReached, lengthInWords, type Resolved, rateInWords } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { examplesOf } from '../datasets/dataset.js';
import { type Dataset, loadDataset } from '../datasets/index.js';
import { gpuMemory } from '../engine/gpu.js';
import { ffmpegPath } from '../engine/install/ffmpeg.js';
import { instructionSet, kernels } from '../engine/kernel-table.js';
import type { Program } from '../engine/program.js';
import type { Threads } from '../engine/threads.js';
import { planThreads } from '../engine/threads.js';
import { UserError } from '../errors.js';
import { trainedVariables } from '../models/parameter-groups.js';
import { confirmPlan, planRun } from '../models/plan.js';
import type { ModelDescription } from '../nn/shape-net.js';
import type { Variable } from '../nn/variable.js';
import { collectGarbage } from '../process/collect-garbage.js';
import type { Stop } from '../process/signals.js';
import { loadCheckpoint } from '../runs/checkpoint/checkpoint.js';
import { checkpointPolicy } from '../runs/checkpoint/policy.js';
import { type CurveRow, CurvesLog, openStepsLog } from '../runs/curves.js';
import { collectEnvironment, readRunFacts } from '../runs/environment.js';
import { initialWeights, initialWeightsAgain } from '../runs/initial-weights.js';
import { createProgress, type TrainingProgress } from '../runs/progress.js';
import { createReporter } from '../runs/reporter.js';
import { ResponsesLog } from '../runs/responses.js';
import { describeRun, openRunFolder, type RunFolder, restoreReplaced } from '../runs/run-folder.js';
import { requireDataOfOthers, requireDataOfStart } from '../runs/same-data.js';
import { type Summarized, summarize } from '../runs/summarize.js';
import { endedSummary, type Summary, writeSummary } from '../runs/summary.js';
import { openEventFile } from '../runs/tensorboard.js';
import { replaceFile } from '../storage/files.js';
import { loadTask } from '../tasks/index.js';
import { loggedNames } from '../tasks/metric.js';
import type { Task } from '../tasks/task.js';
import { withSheets } from './keep-sheets.js';
import { checkMemory, memoryOf, partsOf } from './micro-steps.js';
import type { Network } from './network.js';
import {
  type KeepOfEvaluation,
  type OpenNetwork,
  openForTraining,
  openSources,
  type Sources,
} from './open-network.js';
import type { TrainStep } from './step.js';
import { train } from './train.js';

export interface RunOptions {
  /** The output folder. */
  out: string;
  mode: 'new' | 'resume' | 'force';
  dataFolder?: string;
  /** The results folder of an experiment whose runs are all to be trained on the same data. */
  sameDataIn?: string;
  eager: boolean;
  /**
   * One thread, and TensorFlow's deterministic kernels: the same bits on every machine with a processor of the kind.
   */
  deterministic: boolean;
  /** Write event files for TensorBoard too. */
  tensorboard: boolean;
  quiet: boolean;
  debug: boolean;
  /** The signal that asked to stop, if one did. */
  stopRequested(): Stop | undefined;
  note(message: string): void;
}

/**
 * Trains what `config` says, in the folder `options.out`.
 * @throws UserError for a configuration, data or folder that cannot be used (exit code 2), before anything is written
 */
export async function run(config: Config, options: RunOptions): Promise<Summary> {
  // 1. Everything that can be wrong with the experiment, before anything is fetched or written.
  const loadedTask = await loadTask(config);
  const { task } = loadedTask;
  const planned = planRun(config, options.dataFolder, task.head);
  checkMemory(config, planned.model);
  const dataset = await loadDataset(config.data, { ...options, ffmpeg: ffmpegPath });
  task.requireData?.(dataset);
  const sources = await openSources(dataset, loadedTask);
  const { resolved, network: model, model: description } = confirmPlan(planned, config, dataset);
  const never = dropsNeverReached(config);
  if (never.length > 0)
    options.note(
      `warning: learningRate.dropAt ${never.join(', ')} is never reached in ${lengthInWords(config)}`,
    );
  options.note(`${rateInWords(config, resolved)}, for ${lengthInWords(config)}`);
  const { variables } = description;
  const weights = holdsRun(options)
    ? undefined
    : initialWeights(config, variables, options.note, dataset.classNames);

  // 2. The folder, which from here on is this process's own.
  const folder = await openRunFolder(options.out, options.mode);
  try {
    const begun = folder.begunWith === undefined ? undefined : sameExperiment(folder, config);
    const ended = begun && endedSummary(folder.path);
    if (ended) return ended;
    if (begun) requireDataOfStart(folder.environment, dataset.checksums);
    if (options.sameDataIn)
      requireDataOfOthers(options.sameDataIn, folder.path, config.data, dataset.checksums);
    const checkpoint = begun ? loadCheckpoint(folder.checkpoints, options.note) : undefined;
    const known = { environment: folder.environment, hasCheckpoint: checkpoint !== undefined };
    const initial = weights ?? initialWeightsAgain(config, variables, { ...known, note: options.note });

    // 3. The engine, with the threads, convolutions and parts that the run began with: sums in another order are other
    // numbers.
    const { eager, deterministic } = (begun && modeOf(folder.environment)) ?? options;
    const threads =
      begun || !deterministic ? planThreads(begun ?? config, resolved.imagesPerStep) : oneThread;
    const { loadEngine } = await import('../engine/load.js');
    const loaded = await loadEngine({
      variant: config.engine.variant,
      precision: config.precision,
      compiler: config.engine.compiler,
      threads,
      ...options,
      deterministic,
    });
    const given = (begun ?? config).engine.memoryGB;
    const memoryGB = given ?? memoryOf(config, await gpuMemory(loaded));
    const parts = partsOf(begun ?? config, description, memoryGB);
    if (parts > 1) options.note(`a step is computed in ${parts} parts, to fit in memory`);
    /** The configuration that is computed, every choice made: from here on only this one counts. */
    const effective: Config = {
      ...config,
      engine: {
        ...config.engine,
        intraOpThreads: threads.intraOp,
        interOpThreads: threads.interOp,
        memoryGB,
      },
      batch: { ...config.batch, microSteps: parts },
    };
    const environment = await collectEnvironment({
      tensorflow: loaded.tensorflow,
      engine: { variant: loaded.variant, source: loaded.source },
      device: loaded.device,
      threads,
      eager,
      deterministic,
      ...(!eager && { instructionSet: instructionSet(effective.precision === 'bfloat16') }),
      data: dataset.checksums,
      ...(initial.sha256 && { initialWeights: initial.sha256 }),
    });
    describeRun(folder, printConfig(effective, folder.config), environment);

    // 4. Variables and steps; then what the checkpoint holds of them.
    const network: Network = {
      config: effective,
      model,
      task,
      variables,
      shape: dataset.shape,
      pixels: { mean: dataset.mean, std: dataset.std },
      kernels: kernels(eager ? 'definitions' : 'kernels'),
    };
    const opened = await openForTraining(network, initial.values, sources, { eager, parts });
    const { program } = opened;
    if (checkpoint) program.write(checkpoint.tensors);
    const progress = createProgress(loggedNames(task), checkpoint?.step, checkpoint?.sums);
    if (checkpoint) options.note(`resuming after step ${checkpoint.step} of ${resolved.totalSteps}`);

    // 5. Train, and say how it went.
    collectGarbage();
    const prepared = {
      config: effective,
      resolved,
      dataset,
      sources,
      description,
      task,
      opened,
      progress,
      options,
    };
    return await trainInFolder(folder, prepared);
  } finally {
    restoreReplaced(folder.path);
    await folder.lock.release();
  }
}

interface PreparedRun {
  config: Config;
  resolved: Resolved;
  dataset: Dataset;
  sources: Sources;
  description: ModelDescription;
  task: Task;
  opened: OpenNetwork & { trainOn: TrainStep };
  progress: TrainingProgress;
  options: RunOptions;
}

async function trainInFolder(folder: RunFolder, prepared: PreparedRun): Promise<Summary> {
  const { config, resolved, dataset, sources, description, task, opened, progress, options } = prepared;
  const { program, trainOn } = opened;
  const evaluate = withSheets(opened.evaluate, dataset, sources.validation, options.note);
  /** Makes sure of the lock before anything is written. */
  const whileHeld =
    <Row, Result>(write: (row: Row) => Result) =>
    (row: Row) => {
      requireLock(folder);
      return write(row);
    };
  requireLock(folder);
  const point = folder.begunWith === undefined ? {} : { resumeAtStep: progress.step };
  const leastRows = Math.ceil(progress.step / resolved.rowSteps) - 1;
  const curves = CurvesLog.open(folder.curves, { ...point, leastRows }, task);
  const every = config.log.everySteps;
  const steps = every > 0 ? openStepsLog(folder.steps, point, task) : undefined;
  const layers = config.log.responses;
  const responses = layers && ResponsesLog.open(folder.responses, layers, point);
  const events = options.tensorboard ? openEventFile(folder.path, point) : undefined;
  const reporting = {
    ...resolved,
    examples: examplesOf(dataset),
    measured: task,
    quiet: options.quiet,
    events,
    steps: steps && {
      append: whileHeld((row: Parameters<typeof steps.append>[0]) => steps.append(row)),
      every,
    },
  };
  const save = whileHeld((outcome: Summarized['outcome']): Summary => {
    const summary = summarize({ ...prepared, measured: task, rows: curves.rows, outcome });
    writeSummary(folder.summary, summary);
    return summary;
  });
  save({ status: 'running' });
  const reporter = createReporter(reporting, progress.step);
  const beforeSave = () => {
    requireLock(folder);
    steps?.sync();
  };
  const keep: KeepOfEvaluation = {
    file(name, content) {
      requireLock(folder);
      replaceFile(join(folder.path, name), content);
    },
    responses(layers) {
      requireLock(folder);
      responses?.append({
        epoch: Math.ceil(progress.step / resolved.stepsPerEpoch),
        step: progress.step,
        layers,
      });
    },
  };
  const checkpoints = checkpointPolicy(folder.checkpoints, program, config.checkpoint, beforeSave);
  try {
    const stopRequested = () => options.stopRequested() !== undefined;
    const trained = trainedVariables(description.variables, config.optimizer);
    const training = {
      config,
      resolved,
      examples: sources.train,
      measured: task,
      trainOn,
      curves: { rows: curves.rows, append: whileHeld((row: CurveRow) => curves.append(row)) },
      checkpoints,
      reporter,
      stopRequested,
      weightsAreFinite: () => weightsAreFinite(program, trained),
      evaluate: (pause: Parameters<typeof evaluate>[0], final: boolean) => evaluate(pause, final, keep),
    };
    const outcome = await train(training, progress);
    reporter.stop(outcome.status);
    return save(outcome);
  } catch (error) {
    // As far as it can still be written: the disk may be what failed.
    attempt(() => save({ status: 'failed', message: (error as Error).message }));
    throw error;
  } finally {
    reporter.stop('failed');
    program.dispose();
    curves.close();
    steps?.close();
    responses?.close();
    events?.close();
  }
}

/** @throws UserError (exit code 1) when another process may write here: what this one knows is out of date. */
function requireLock({ path, lock }: RunFolder): void {
  if (lock.held()) return;
  throw new UserError(
    'this process no longer holds the run: another process has taken its lock, or the lock file was deleted',
    {
      place: path,
      fix: 'unless it goes on elsewhere already, go on with --resume',
      exitCode: 1,
    },
  );
}

function weightsAreFinite(program: Program, trained: readonly Variable[]): boolean {
  const values = program.read(trained.map(({ name }) => name));
  return Object.values(values).every(({ data }) => data.every(Number.isFinite));
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {}
}

/** True when there is a run to be resumed, which may need no weights any more. */
const holdsRun = ({ out, mode }: RunOptions): boolean =>
  mode === 'resume' && existsSync(join(out, 'config.yaml'));

/** The configuration that the folder's run was begun with; it must describe the same experiment. */
function sameExperiment(folder: RunFolder, config: Config): Config {
  const begun = parseConfig(folder.begunWith!, { file: folder.config });
  const [mine, theirs] = [config, begun].map((each) => JSON.stringify(configIdentity(each)));
  if (mine === theirs && config.seed === begun.seed) {
    sameConvolutions(config, begun, folder);
    return begun;
  }
  throw new UserError(
    'the folder holds a run of another configuration, which cannot be resumed as this one',
    {
      place: folder.config,
      fix: `resume it with "gnbench run ${folder.config} --out ${folder.path} --resume", or choose another --out`,
    },
  );
}

/** @throws UserError for another kind of convolutions than the run was begun with: its numbers would be of neither. */
function sameConvolutions(config: Config, begun: Config, folder: RunFolder): void {
  const [asked, kept] = [config, begun].map(({ engine }) => engine.convolutions);
  if (asked === kept) return;
  throw new UserError(`the run was begun with ${kept} convolutions, and ${asked} ones are asked for`, {
    place: folder.config,
    fix: `resume it with --set engine.convolutions=${kept}, or choose another --out`,
  });
}

/** How a run was begun; undefined where it was killed before that was written. */
function modeOf(environment: string): Pick<RunOptions, 'eager' | 'deterministic'> | undefined {
  const facts = readRunFacts(environment);
  return facts && { eager: facts.eager === true, deterministic: facts.deterministic === true };
}

const oneThread: Threads = { intraOp: 1, interOp: 1 };
