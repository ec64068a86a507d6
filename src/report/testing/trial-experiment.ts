/** For tests: an experiment in a temporary folder, with runs whose files say what the test wants. Nothing is trained. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { printConfig } from '../../config/print.js';
import type { Cell } from '../../experiments/cells.js';
import { type Experiment, loadExperiment } from '../../experiments/experiment.js';
import { curveColumns } from '../../runs/curves.js';
import { type Summary, writeSummary } from '../../runs/summary.js';
import { classificationMeasures } from '../../tasks/metric.js';

/** BN and GN from 32 images to 2, as in the paper's Table 2, of 6 epochs on the synthetic data. */
export const table2Trial = `
title: BN and GN by batch size
reproduces: { table: 2, figure: 1 }
base:
  model: { name: resnet20 }
  data: { name: synthetic }
  epochs: 6
axes:
  batch.size: [32, 2, 8]
  normalizer: [batch, { name: group, groups: 8 }]
seeds: [1, 2, 3]
`;

export interface Trial {
  root: string;
  file: string;
  experiment: Experiment;
  /** The cell of a normalizer and batch size. */
  cell(normalizer: string, batchSize: number): Cell;
  /** Writes a run whose last five epochs have `error` as their median; its curve falls towards it. */
  write(cell: Cell, seed: number, error: number, change?: Partial<Summary>): string;
}

export async function makeTrial(t: TestContext, text = table2Trial, name = 'trial'): Promise<Trial> {
  const root = mkdtempSync(join(tmpdir(), 'gnbench-report-'));
  t.after(() => rmSync(root, { recursive: true }));
  return trialIn(root, text, name);
}

/** The same in a folder that is there, beside another. */
export async function trialIn(root: string, text: string, name: string): Promise<Trial> {
  const folder = join(root, 'results', name);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'experiment.yaml');
  writeFileSync(file, `name: ${name}\n${text}`);
  const experiment = await loadExperiment(file);
  const cell: Trial['cell'] = (normalizer, batchSize) => {
    const found = experiment.cells.find(
      ({ config }) => config.normalizer.name === normalizer && config.batch.size === batchSize,
    );
    if (!found) throw new Error(`the trial has no ${normalizer} at ${batchSize}`);
    return found;
  };
  const write: Trial['write'] = (cell, seed, error, change) =>
    writeRun(experiment.runFolder(cell, seed), cell, seed, error, change);
  return { root, file, experiment, cell, write };
}

function writeRun(
  folder: string,
  cell: Cell,
  seed: number,
  error: number,
  change: Partial<Summary> = {},
): string {
  const { config } = cell;
  const total = config.epochs!;
  const done = change.epochs?.done ?? total;
  const { size, workers } = config.batch;
  const rows = Array.from({ length: done }, (_, index) => {
    const epoch = index + 1;
    const valError = epoch <= total - 5 ? error + 20 : error + (epoch - total + 2) / 100;
    const step = epoch * 10;
    return [epoch, step, step * size * workers, 0.1, 1, valError - 2, 1, valError, 500, epoch * 3].join();
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'curves.csv'),
    [curveColumns(classificationMeasures).join(), ...rows, ''].join('\n'),
  );
  writeFileSync(join(folder, 'config.yaml'), printConfig({ ...config, seed }));
  writeFileSync(
    join(folder, 'environment.json'),
    JSON.stringify({
      gnbench: '0.1.0',
      tensorflow: '2.21.0',
      cpu: 'a <CPU> & more',
      threads: { intra: 1, inter: 1 },
    }),
  );
  writeSummary(join(folder, 'summary.json'), {
    version: 1,
    status: 'completed',
    id: cell.id,
    name: cell.key,
    seed,
    parameters: 269_722,
    epochs: { done, total },
    steps: { done: done * 10, total: total * 10 },
    learningRate: 0.1,
    batch: { size, workers },
    valError: { final: error + 0.02, medianLast5: error, best: error - 0.02 },
    trainError: { final: error - 2 },
    trainLoss: { final: 1 },
    imagesPerSecond: 500,
    secondsTotal: done * 3,
    dataWaitShare: 0,
    dataset: { name: config.data.name, official: true },
    ...change,
  });
  return folder;
}
