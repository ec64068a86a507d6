import type { Model } from '../nn/net.js';
import { basicBlock, bottleneckBlock } from './blocks.js';

/** Blocks in each of the four stages, of 64, 128, 256 and 512 filters: He et al. 2016, Table 1. */
export const stages: Record<number, number[]> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
};

/**
 * ResNet for 224×224 images (He et al. 2016, "Deep Residual Learning", arXiv 1512.03385, §4.1): bottleneck blocks from
 * 50 layers on.
 * @param stem `7x7` with stride 2 and a max-pool, or `3x3` for the 32×32 images of CIFAR
 */
export function resnet(
  depth: number,
  {
    classes,
    stem = '7x7',
    strideIn1x1 = false,
  }: { classes: number; stem?: '7x7' | '3x3'; strideIn1x1?: boolean },
): Model {
  return (net, images) => {
    const large = stem === '7x7';
    let x = net.conv('stem.conv', images, {
      filters: 64,
      kernel: large ? 7 : 3,
      stride: large ? 2 : 1,
      ofImage: true,
    });
    x = net.norm('stem.norm', x, { relu: true });
    if (large) x = net.maxPool(x, { kernel: 3, stride: 2 });
    const stageOutputs: Record<string, typeof x> = {};
    for (const [stage, blocks] of stages[depth].entries()) {
      const filters = 64 * 2 ** stage;
      for (let block = 0; block < blocks; block++) {
        const name = `stage${stage + 1}.block${block}`;
        const stride = stage > 0 && block === 0 ? 2 : 1;
        x =
          depth < 50
            ? basicBlock(net, name, x, { filters, stride, shortcut: 'projection' })
            : bottleneckBlock(net, name, x, { filters, stride, strideIn1x1 });
      }
      stageOutputs[`c${stage + 2}`] = x;
    }
    return { ...stageOutputs, logits: net.dense('head', net.globalAveragePool(x), classes) };
  };
}
