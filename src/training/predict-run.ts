/** The objects that a run's detector finds in anybody's images. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Detection } from '../coco/detections.js';
import type { Instances } from '../coco/instances.js';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { canvasesOf } from '../datasets/detection/canvas.js';
import { objectTable } from '../datasets/detection/object-table.js';
import { scenesOf } from '../datasets/detection/scenes-of.js';
import type { Pixels } from '../datasets/image-folder/decode.js';
import { pixelStatistics } from '../datasets/pixel-statistics.js';
import { kernels } from '../engine/kernel-table.js';
import { planThreads } from '../engine/threads.js';
import { UserError } from '../errors.js';
import { sharedArrays } from '../input/batch.js';
import { openSource } from '../input/object-source.js';
import { describeModel } from '../models/describe.js';
import { isDetector } from '../models/detection/settings.js';
import { createModel } from '../models/index.js';
import { readRunWeights } from '../runs/run-weights.js';
import { summaryOf } from '../runs/summary.js';
import { readWeights } from '../runs/weights.js';
import { detectionsOf } from '../tasks/detection/detections-of.js';
import { loadTask } from '../tasks/index.js';
import { defineEvaluation } from './evaluation.js';
import type { Network } from './network.js';

export interface PredictOptions {
  quiet: boolean;
  debug: boolean;
  note(message: string): void;
}

export interface Predictor {
  /** The names of the classes, in the order of their numbers, which count from 1. */
  classNames: readonly string[];
  /** The objects in an image, best first; their categories are the classes' numbers. */
  find(image: Pixels): Promise<Detection[]>;
  close(): void;
}

/** The detector of a run, as far as it can be told without the engine. */
export interface RunOfDetector {
  folder: string;
  config: Config;
}

/** @throws UserError for a folder without a run, or with one of a classifier */
export async function detectorOfRun(folder: string): Promise<RunOfDetector> {
  const file = join(folder, 'config.yaml');
  if (!existsSync(file)) {
    throw new UserError('the folder holds no run', {
      place: folder,
      fix: 'name the folder of a detector’s run',
    });
  }
  const config = await loadConfig(file);
  if (!isDetector(config.model)) {
    throw new UserError(`the run is of ${config.model.name}, which finds no objects`, {
      place: folder,
      fix: 'name a run of mask-rcnn or faster-rcnn',
    });
  }
  return { folder, config };
}

/**
 * Loads the engine and the run's newest weights.
 * @throws UserError for a run without weights, or with weights that are not its model's
 */
export async function openPredictor(
  { folder, config }: RunOfDetector,
  options: PredictOptions,
): Promise<Predictor> {
  const { data } = config;
  if (data.name !== 'coco' && data.name !== 'shapes') throw new Error(`a detector of ${data.name}`);
  const { task } = await loadTask(config);
  const { values: found } = readRunWeights(folder, options.note);
  const classes = found['boxHead.logits.bias'].shape[0] - 1;
  const scenes = scenesOf(data);
  const [{ height, width }] = canvasesOf(scenes);
  const shape = [height, width, 3];
  const model = createModel(config.model, classes);
  const { variables } = describeModel(model, config.normalizer, { shape });
  const { values } = readWeights(folder, variables, { head: 'keep', warn: options.note });

  const { loadEngine } = await import('../engine/load.js');
  const { precision, engine } = config;
  const threads = planThreads(config, 1);
  await loadEngine({ variant: engine.variant, precision, compiler: engine.compiler, threads, ...options });
  const { createProgram } = await import('../engine/graph/create-program.js');
  const pixels = pixelStatistics(data.name);
  const network: Network = {
    config: { ...config, optimizer: { ...config.optimizer, emaDecay: 0 } },
    model,
    task,
    variables,
    shape,
    pixels,
    kernels: kernels('kernels'),
  };
  const { convolutions } = engine;
  const program = createProgram(values, { precision, convolutions }, { eager: false });
  const step = defineEvaluation(program, network, [1], [1]);
  const known = summaryOf(folder)?.dataset.classNames;
  const classNames = Array.from({ length: classes }, (_, index) => known?.[index] ?? `class ${index + 1}`);
  const categories = classNames.map((name, index) => ({ id: index + 1, name }));

  return {
    classNames,
    async find({ data: image, height, width }) {
      const only: Instances = {
        images: [{ id: 1, file: '', height, width }],
        categories,
        objects: [],
        skipped: [],
        withoutArea: [],
      };
      const source = await openSource({
        objects: objectTable(only),
        scenes,
        mean: pixels.mean,
        train: false,
        images: image,
      });
      const batch = sharedArrays(source.spec, 1);
      await source.write(batch, 0, 0, { view: 0 });
      return detectionsOf(only, step(batch, 1), batch, 0, 1);
    },
    close: () => program.dispose(),
  };
}
