/**
 * Measures the input alone, in this process: how many augmented CIFAR-10-sized images a second a worker thread hands over.
 *
 *     node dist/bench/input.js 128 8,2 …     images a step
 */
import { parseConfig } from '../config/load.js';
import { loadDataset } from '../datasets/index.js';
import { openTrainBatches } from '../input/batches.js';
import { sourceOf } from '../input/dataset-source.js';

const seconds = 3;
const text = 'model: {name: resnet20}\nnormalizer: {name: none}\ndata: {name: synthetic}\n';
const dataset = await loadDataset(parseConfig(text, { file: 'input.yaml' }).data, {});
const source = sourceOf(dataset, 'train');
process.stdout.write('images_a_step,images_per_second,steps,waited_s\n');
for (const batchSize of process.argv.slice(2).map(Number)) {
  const stepsPerEpoch = Math.floor(source.count / batchSize);
  const options = { seed: 1, batchSize, stepsPerEpoch, firstStep: 0, totalSteps: 1_000_000, augment: true };
  const batches = openTrainBatches(source, options);
  batches.next();
  const start = performance.now();
  let steps = 0;
  for (; performance.now() < start + 1000 * seconds; steps++) batches.next();
  const took = (performance.now() - start) / 1000;
  process.stdout.write(
    `${batchSize},${Math.round((steps * batchSize) / took)},${steps},${(batches.waitedMs / 1000).toFixed(2)}\n`,
  );
  await batches.close();
}
