import type { Model, Net } from '../nn/net.js';
import { basicBlock, bottleneckBlock } from './blocks.js';

/** Blocks in each of the four stages, of 64, 128, 256 and 512 filters: He et al. 2016, Table 1. */
export const stages: Record<number, number[]> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
};

/** The layers before the first stage: `7x7` with stride 2 and a max-pool, or `3x3` for the 32×32 images of CIFAR. */
export function stem<T>(net: Net<T>, images: T, kind: '7x7' | '3x3' = '7x7'): T {
  const large = kind === '7x7';
  const options = { filters: 64, kernel: large ? 7 : 3, stride: large ? 2 : 1, ofImage: true };
  const x = net.norm('stem.norm', net.conv('stem.conv', images, options), { relu: true });
  return large ? net.maxPool(x, { kernel: 3, stride: 2 }) : x;
}

/** Channels behind a stage, which counts from 0. */
export const stageChannels = (depth: number, stage: number): number => 64 * 2 ** stage * (depth < 50 ? 1 : 4);

/** The blocks of a stage, which counts from 0. All but the first halve the sides. */
export function stageBlocks<T>(
  net: Net<T>,
  x: T,
  { depth, stage, strideIn1x1 = false }: { depth: number; stage: number; strideIn1x1?: boolean },
): T {
  const filters = 64 * 2 ** stage;
  let y = x;
  for (let block = 0; block < stages[depth][stage]; block++) {
    const name = `stage${stage + 1}.block${block}`;
    const stride = stage > 0 && block === 0 ? 2 : 1;
    y =
      depth < 50
        ? basicBlock(net, name, y, { filters, stride, shortcut: 'projection' })
        : bottleneckBlock(net, name, y, { filters, stride, strideIn1x1 });
  }
  return y;
}

/**
 * ResNet for 224×224 images (He et al. 2016, "Deep Residual Learning", arXiv 1512.03385, §4.1): bottleneck blocks from
 * 50 layers on.
 */
export function resnet(
  depth: number,
  {
    classes,
    stem: stemKind = '7x7',
    strideIn1x1 = false,
  }: { classes: number; stem?: '7x7' | '3x3'; strideIn1x1?: boolean },
): Model {
  return (net, images) => {
    let x = stem(net, images, stemKind);
    const stageOutputs: Record<string, typeof x> = {};
    for (const stage of stages[depth].keys()) {
      x = stageBlocks(net, x, { depth, stage, strideIn1x1 });
      stageOutputs[`c${stage + 2}`] = x;
    }
    return { ...stageOutputs, logits: net.dense('head', net.globalAveragePool(x), classes) };
  };
}
