import type { z } from 'zod';
import type { initSchema } from './schema-init.js';
import { isDetectorName, type modelSchema } from './schema-model.js';
import { allNormalizers, type normalizerSchema, statisticsSpan } from './schema-normalizer.js';

interface Fields {
  model: z.output<typeof modelSchema>;
  normalizer: z.output<typeof normalizerSchema>;
  init?: z.output<typeof initSchema>;
  optimizer: { frozen?: string[]; labelSmoothing: number };
  evaluate: { statistics: 'running' | 'precise' };
  batch: { size: number; workers: number; microSteps: number | 'auto' };
}

/** Checks the keys of a detector against each other; each finding points at the key to change. */
export function checkDetector(
  { model, normalizer, init, optimizer, evaluate, batch }: Fields,
  context: z.RefinementCtx,
): void {
  if (!isDetectorName(model.name) || !('anchors' in model)) return;
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  const levels = 5;
  const { length } = model.anchors.sizes;
  if (model.neck === 'fpn' && length !== levels) {
    problem(
      ['model', 'anchors', 'sizes'],
      `has ${length} sizes, and the pyramid's ${levels} levels one each`,
    );
  }
  if (evaluate.statistics === 'precise') {
    problem(
      ['evaluate', 'statistics'],
      'must be running: the regions that a head sees are chosen in training',
    );
  }
  if (batch.microSteps !== 'auto' && batch.microSteps !== batch.workers) {
    problem(
      ['batch', 'microSteps'],
      `is ${batch.microSteps}, and a detector's step has a part for each of its workers (${batch.workers}), over whose regions its losses are means: leave it at auto`,
    );
  }
  if (statisticsSpan(normalizer) === 'step' && batch.workers > 1) {
    problem(
      ['batch', 'workers'],
      `is ${batch.workers}, and sync-batch would need the images of all of them at once, where a detector's step is computed worker by worker: choose batch, or 1 worker of ${batch.workers * batch.size} images`,
    );
  }
  if (optimizer.labelSmoothing > 0) {
    problem(['optimizer', 'labelSmoothing'], "has no effect on a detector's losses: leave it out");
  }
  if (optimizer.frozen && !init) {
    problem(
      ['optimizer', 'frozen'],
      'keeps parts at random values, for there is no init.weights: from scratch all of a detector is trained',
    );
  }
  const frozen = allNormalizers(normalizer).find(({ normalizer: { name } }) => name === 'frozen-batch');
  if (frozen && !init) {
    problem(
      [...frozen.path, 'name'],
      'is frozen-batch, whose mean and variance are those of pre-trained weights, and there is no init.weights: it would normalize nothing',
    );
  }
}
