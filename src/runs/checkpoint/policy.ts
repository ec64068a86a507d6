import type { Config } from '../../config/schema.js';
import type { Program } from '../../engine/program.js';
import { progressSums, type TrainingProgress } from '../progress.js';
import { saveCheckpoint } from './checkpoint.js';

/** When a run's state is saved, and how. */
export interface CheckpointPolicy {
  /** True when the steps or minutes since the last save call for one in mid-epoch. */
  due(progress: TrainingProgress): boolean;
  /** @throws UserError (exit code 1) when it cannot be written */
  save(progress: TrainingProgress): void;
}

/**
 * @param folder the run's `checkpoints/`
 * @param beforeSave makes durable what a checkpoint vouches for: logs
 */
export function checkpointPolicy(
  folder: string,
  program: Program,
  { everySteps, everyMinutes, keep }: Config['checkpoint'],
  beforeSave: () => void = () => {},
): CheckpointPolicy {
  let savedAt = performance.now();
  return {
    due({ step }) {
      if (everySteps && step % everySteps === 0) return true;
      return everyMinutes > 0 && performance.now() - savedAt >= everyMinutes * 60_000;
    },
    save(progress) {
      beforeSave();
      saveCheckpoint(
        folder,
        { step: progress.step, sums: progressSums(progress), tensors: program.read() },
        { keep },
      );
      savedAt = performance.now();
    },
  };
}
