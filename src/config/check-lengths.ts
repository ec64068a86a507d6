/** Checks the keys that say how long a training is, when its rate changes and when it is evaluated. */

interface Lengths {
  epochs?: number;
  steps?: number;
  learningRate: {
    dropAt: number[];
    factor: number;
    schedule: string;
    warmupEpochs: number;
    warmupSteps?: number;
    warmupFrom?: number;
  };
  evaluate: { every: number; everySteps?: number };
}

/** The schedule in steps that a configuration has which names none. */
export const defaultDrops = { dropAt: [0.5, 0.75], factor: 0.1 };

/** @param problem takes the path of the key to change, and what is wrong with it */
export function checkLengths(
  { epochs, steps, learningRate, evaluate }: Lengths,
  problem: (path: (string | number)[], message: string) => void,
): void {
  const { dropAt, warmupEpochs, warmupSteps, warmupFrom } = learningRate;
  if (learningRate.schedule !== 'step') {
    for (const key of ['dropAt', 'factor'] as const) {
      if (`${learningRate[key]}` !== `${defaultDrops[key]}`)
        problem(['learningRate', key], `has no effect with schedule: ${learningRate.schedule}`);
    }
  }
  if (steps && epochs) problem(['epochs'], 'stands beside steps: give one of them');
  // Fractions and epochs may be mixed; which of them comes first depends on the training's length.
  const early = dropAt.findIndex(
    (at, index) => index > 0 && at <= dropAt[index - 1] && at < 1 === dropAt[index - 1] < 1,
  );
  if (early > 0) problem(['learningRate', 'dropAt', early], 'comes no later than the drop before it');
  if (!steps && warmupEpochs > (epochs ?? 100)) {
    problem(['learningRate', 'warmupEpochs'], `is longer than the ${epochs ?? 100} epochs of the training`);
  }
  if (warmupSteps && warmupEpochs > 0) {
    problem(['learningRate', 'warmupSteps'], 'stands beside warmupEpochs: give one of them');
  }
  if (steps && warmupSteps && warmupSteps > steps) {
    problem(['learningRate', 'warmupSteps'], `is longer than the ${steps} steps of the training`);
  }
  if (warmupFrom && !warmupSteps && warmupEpochs === 0) {
    problem(['learningRate', 'warmupFrom'], 'has no effect without warmupSteps or warmupEpochs');
  }
  if (evaluate.everySteps && evaluate.every > 1) {
    problem(['evaluate', 'everySteps'], 'stands beside evaluate.every: give one of them');
  }
}
