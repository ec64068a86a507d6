/** The second mode of check.mjs: trains for as long as there is time. */
import { epochsOf, trainUntil } from './train-until.mjs';

/** A training whose curves become rows, as far as it came. */
function training(config, settings) {
  return async (context) => {
    // An epoch of all images takes a GPU's seconds and a CPU's minutes.
    const short = ['epochs=1', 'data.trainSubset=512', 'data.valSubset=256'];
    const { rows } = await trainUntil(config, [...settings, ...(context.short ? short : [])], context);
    for (const row of rows) await context.add({ config, ...row });
    const { val_error, images_per_second } = rows.at(-1);
    return `${config}: ${epochsOf(rows)}, val_error ${val_error} %, ${Math.round(images_per_second)} images/s`;
  };
}

const paper = (size) => ['batch.workers=8', `batch.size=${size}`, 'epochs=1000'];

/** Name, share of the time, what it does. */
export const trainings = [
  ['quickstart', 0.3, training('quickstart.yaml', [])],
  ['bn-8x32', 0.25, training('resnet-gn-b2.yaml', ['normalizer={name: batch}', ...paper(32)])],
  ['bn-8x2', 0.25, training('resnet-gn-b2.yaml', ['normalizer={name: batch}', ...paper(2)])],
  ['gn-8x2', 0.25, training('resnet-gn-b2.yaml', paper(2))],
];
