import type { Net } from '../../nn/net.js';

/**
 * The region proposal network on one map (Ren et al. 2015, arXiv 1506.01497, §3.1): for every anchor a logit that there
 * is an object, and the shifts to its box. All maps of a pyramid share its layers; no normalizer (the paper's code).
 */
export function proposalHead<T>(
  net: Net<T>,
  map: T,
  { channels, anchors }: { channels: number; anchors: number },
): { logits: T; shifts: T } {
  const plain = { bias: true, plain: true, start: 0.01 };
  const x = net.relu(net.conv('conv', map, { filters: channels, kernel: 3, ...plain }));
  const predict = (name: string, filters: number) => net.conv(name, x, { filters, kernel: 1, ...plain });
  return { logits: predict('logits', anchors), shifts: predict('shifts', 4 * anchors) };
}
