/** The updates of a training step's variables, once it has gradients and statistics. */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import type { Config } from '../config/schema.js';
import type { Step } from '../engine/program.js';
import { decayFactor, isFrozen, rateFactor } from '../models/parameter-groups.js';
import type { StatisticsUpdate } from '../nn/normalizer.js';
import type { Variable } from '../nn/variable.js';
import { averageOf, velocityOf } from '../runs/optimizer-slots.js';

/**
 * SGD: one update for each pair of rate and weight decay, which without `optimizer.rates` and `.decay` is one for all.
 * @param gradients of `parameters`, in their order
 */
export function applyGradients(
  step: Step,
  parameters: readonly Variable[],
  gradients: readonly Tensor[],
  { optimizer }: Config,
): void {
  const { weightDecay, momentum, nesterov } = optimizer;
  const rate = step.feed('rate');
  for (const { rate: rateBy, decay, members } of updateGroups(parameters, optimizer)) {
    step.momentum({
      variables: members.map(({ index }) => parameters[index].name),
      velocities: members.map(({ index }) => velocityOf(parameters[index].name)),
      gradients: members.map(({ index }) => gradients[index]),
      decayed: members.map(({ decayed }) => decayed),
      rate: rateBy === 1 ? rate : rate.mul(rateBy),
      weightDecay: weightDecay * decay,
      momentum,
      nesterov,
    });
  }
}

interface UpdateGroup {
  /** The factors of the members' rate and weight decay. */
  rate: number;
  decay: number;
  members: { index: number; decayed: boolean }[];
}

function updateGroups(parameters: readonly Variable[], optimizer: Config['optimizer']): UpdateGroup[] {
  const all = parameters.map(({ role, name }, index) => ({
    index,
    rate: rateFactor(optimizer, name),
    decay: isDecayed(role, optimizer) ? decayFactor(optimizer, name) : 0,
  }));
  const groups: UpdateGroup[] = [];
  for (const { index, rate, decay } of all) {
    // A parameter without decay joins the first group of its rate.
    const others = decay > 0 ? decay : (all.find((each) => each.rate === rate && each.decay > 0)?.decay ?? 1);
    let group = groups.find((each) => each.rate === rate && each.decay === others);
    if (!group) {
      group = { rate, decay: others, members: [] };
      groups.push(group);
    }
    group.members.push({ index, decayed: decay > 0 });
  }
  return groups;
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
