import type { Model } from '../nn/net.js';
import { basicBlock, preactivationBlock, type Shortcut } from './blocks.js';

/**
 * ResNet-(6n+2) for 32×32 images (He et al. 2016, "Deep Residual Learning", §4.2): a 3×3 stem of 16 channels, three
 * stages of n blocks with 16, 32 and 64 channels, halving the sides between them, and a linear classifier.
 */
export function resnetCifar(depth: number, shortcut: Shortcut, classes: number): Model {
  const blocks = (depth - 2) / 6;
  return (net, images) => {
    let x = net.conv('stem.conv', images, { filters: 16, kernel: 3, ofImage: true });
    x = net.norm('stem.norm', x, { relu: true });
    const stageOutputs: Record<string, typeof x> = {};
    for (const [stage, filters] of [16, 32, 64].entries()) {
      for (let block = 0; block < blocks; block++) {
        const stride = stage > 0 && block === 0 ? 2 : 1;
        x = basicBlock(net, `stage${stage + 1}.block${block}`, x, { filters, stride, shortcut });
      }
      stageOutputs[`c${stage + 2}`] = x;
    }
    return { ...stageOutputs, logits: net.dense('head', net.globalAveragePool(x), classes) };
  };
}

/**
 * The same with pre-activation blocks (He et al. 2016, "Identity Mappings in Deep Residual Networks", arXiv 1603.05027):
 * the stem is a convolution alone, and a last normalizer and ReLU stand before the pooling.
 */
export function preactivationResnetCifar(depth: number, shortcut: Shortcut, classes: number): Model {
  const blocks = (depth - 2) / 6;
  return (net, images) => {
    let x = net.conv('stem.conv', images, { filters: 16, kernel: 3, ofImage: true });
    const stageOutputs: Record<string, typeof x> = {};
    for (const [stage, filters] of [16, 32, 64].entries()) {
      for (let block = 0; block < blocks; block++) {
        const stride = stage > 0 && block === 0 ? 2 : 1;
        x = preactivationBlock(net, `stage${stage + 1}.block${block}`, x, { filters, stride, shortcut });
      }
      stageOutputs[`c${stage + 2}`] = x;
    }
    x = net.norm('tail.norm', x, { relu: true });
    return { ...stageOutputs, logits: net.dense('head', net.globalAveragePool(x), classes) };
  };
}
