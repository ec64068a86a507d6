import type { Model } from '../nn/net.js';

/** Filters of the convolutions between the max-pools: Simonyan & Zisserman 2015, Table 1, column D. */
export const vggStages = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];

/**
 * VGG-16 (Simonyan & Zisserman 2015, arXiv 1409.1556): thirteen 3×3 convolutions with biases, a normalizer (or none)
 * and a ReLU behind each, and three dense layers. Dropout is in the head.
 */
export function vgg16({ classes, dropout }: { classes: number; dropout: number }): Model {
  return (net, images) => {
    let x = images;
    for (const [stage, layers] of vggStages.entries()) {
      for (const [layer, filters] of layers.entries()) {
        const place = `stage${stage + 1}`;
        x = net.conv(`${place}.conv${layer + 1}`, x, {
          filters,
          kernel: 3,
          bias: true,
          ofImage: x === images,
        });
        x = net.norm(`${place}.norm${layer + 1}`, x, { relu: true });
      }
      x = net.maxPool(x, { kernel: 2, stride: 2 });
    }
    x = net.flatten(x);
    for (const name of ['fc1', 'fc2']) x = net.dropout(net.relu(net.dense(name, x, 4096)), dropout);
    return { logits: net.dense('head', x, classes) };
  };
}
