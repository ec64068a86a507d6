/** The updates of a training step's variables, once it has gradients and statistics. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import type { Config } from '../config/schema.js';
import type { Step } from '../engine/program.js';
import { isFrozen, rateFactor } from '../models/parameter-groups.js';
import type { Variable } from '../nn/net.js';
import type { StatisticsUpdate } from '../normalizers/normalizer.js';
import { averageOf, velocityOf } from '../runs/optimizer-slots.js';

/** SGD: one update for each rate, which without `optimizer.rates` is one for all. @param gradients of `parameters`, in their order */
export function applyGradients(
  step: Step,
  parameters: readonly Variable[],
  gradients: readonly Tensor[],
  { optimizer }: Config,
): void {
  const factors = parameters.map(({ name }) => rateFactor(optimizer, name));
  const rate = step.feed('rate');
  const { weightDecay, momentum, nesterov } = optimizer;
  for (const factor of new Set(factors)) {
    const members = parameters.filter((_, index) => factors[index] === factor);
    step.momentum({
      variables: members.map(({ name }) => name),
      velocities: members.map(({ name }) => velocityOf(name)),
      gradients: gradients.filter((_, index) => factors[index] === factor),
      decayed: members.map(({ role }) => isDecayed(role, optimizer)),
      rate: factor === 1 ? rate : rate.mul(factor),
      weightDecay,
      momentum,
      nesterov,
    });
  }
}

function isDecayed(role: Variable['role'], optimizer: Config['optimizer']): boolean {
  if (role === 'gamma' || role === 'beta') return optimizer.decayNormalizer;
  return role === 'bias' ? optimizer.decayBias : true;
}

/** Running averages of batch statistics: one update for each momentum. */
export function moveStatistics(step: Step, statistics: readonly StatisticsUpdate[]): void {
  for (const momentum of new Set(statistics.map((each) => each.momentum))) {
    const members = statistics.filter((each) => each.momentum === momentum);
    step.movingAverage({
      variables: members.map(({ variable }) => variable),
      values: members.map(({ value }) => value),
      scales: members.map(({ scale }) => scale),
      workers: members.map(({ workers }) => workers),
      momentum,
    });
  }
}

/** Moves the average of every variable, BN's running statistics included, towards it. Frozen variables equal their average, so they are skipped. */
export function moveAverages(step: Step, variables: readonly Variable[], { optimizer }: Config): void {
  const names = variables.map(({ name }) => name).filter((name) => !isFrozen(optimizer, name));
  step.movingAverage({
    variables: names.map(averageOf),
    values: names.map((name) => step.variable(name)),
    scales: names.map(() => 1),
    workers: names.map(() => 1),
    momentum: optimizer.emaDecay,
  });
}
