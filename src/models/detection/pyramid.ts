import type { Net } from '../../nn/net.js';
import { normalizedConv } from './layer.js';

/**
 * A feature pyramid (Lin et al. 2017, arXiv 1612.03144, §3): each stage's map as so many channels, added to the coarser
 * map above it, and smoothed; a sixth level, which only proposals are made on, takes every second pixel of the fifth.
 *
 * @param stages the maps behind the four stages, the finest first
 * @returns `p2` to `p6`
 */
export function pyramid<T>(net: Net<T>, stages: readonly T[], channels: number): Record<string, T> {
  const options = { filters: channels, start: 'xavier', relu: false } as const;
  const levels: Record<string, T> = {};
  let above: T | undefined;
  for (let index = stages.length - 1; index >= 0; index--) {
    const level = index + 2;
    const lateral = normalizedConv(net, `lateral${level}`, stages[index], { ...options, kernel: 1 });
    above = above === undefined ? lateral : net.add(lateral, net.upsample(above));
    levels[`p${level}`] = normalizedConv(net, `output${level}`, above, { ...options, kernel: 3 });
  }
  levels.p6 = net.maxPool(levels.p5, { kernel: 1, stride: 2, padding: 0 });
  return levels;
}
