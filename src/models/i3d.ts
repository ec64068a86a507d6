/**
 * The paper's networks for video (Wu & He 2018, §4.4): ResNet inflated to clips, I3D, and C2D, the same without kernels
 * that reach over time, after the code that the paper used (Wang et al. 2018, "Non-local Neural Networks", arXiv
 * 1711.07971, Table 1 and its repository).
 */
import type { Model, Net } from '../nn/net.js';
import { branchStart } from './blocks.js';
import { stages } from './resnet.js';

export interface ClipResnet {
  classes: number;
  /** False for C2D: no kernel reaches over time; strides and pooling stay. */
  inflated: boolean;
  dropout: number;
  /** Strides over time of the first convolution and of the two poolings behind it; 2 each in the paper. */
  timeStrides: { conv1: number; pool1: number; pool2: number };
}

/** True for the blocks of a stage that are inflated: all of res2, every second one of res3 and res4, the second of res5. */
const isInflated = (stage: number, block: number): boolean =>
  stage === 0 || (stage === 3 ? block % 2 === 1 : block % 2 === 0);

/**
 * From clips `[N, T, H, W, 3]` to logits. With 50 layers or more the first 1×1 convolution of an inflated block is
 * 3×1×1; in the basic blocks of 18 and 34 layers the first 3×3 is 3×3×3.
 */
export function clipResnet(depth: number, { classes, inflated, dropout, timeStrides }: ClipResnet): Model {
  const { conv1, pool1, pool2 } = timeStrides;
  const over = (time: number, blockInflated = true) => (inflated && blockInflated ? time : 1);
  return (net, clips) => {
    let x = net.conv('stem.conv', clips, {
      filters: 64,
      kernel: [over(5), 7, 7],
      stride: [conv1, 2, 2],
      ofImage: true,
    });
    x = net.norm('stem.norm', x, { relu: true });
    x = net.maxPool(x, { kernel: [pool1, 3, 3], stride: [pool1, 2, 2], padding: 0 });
    const stageOutputs: Record<string, typeof x> = {};
    for (const [stage, blocks] of stages[depth].entries()) {
      for (let block = 0; block < blocks; block++) {
        const name = `stage${stage + 1}.block${block}`;
        const options = {
          filters: 64 * 2 ** stage,
          stride: stage > 0 && block === 0 ? 2 : 1,
          time: over(3, isInflated(stage, block)),
        };
        x = (depth < 50 ? basicBlock : bottleneckBlock)(net, name, x, options);
      }
      stageOutputs[`c${stage + 2}`] = x;
      if (stage === 0 && pool2 > 1) {
        x = net.maxPool(x, { kernel: [pool2, 1, 1], stride: [pool2, 1, 1], padding: 0 });
      }
    }
    const features = net.dropout(net.globalAveragePool(x), dropout);
    return { ...stageOutputs, logits: net.dense('head', features, classes) };
  };
}

interface ClipBlock {
  filters: number;
  /** Over height and width; blocks do not stride over time. */
  stride: number;
  /** The length over time of the block's first kernel. */
  time: number;
}

function basicBlock<T>(net: Net<T>, name: string, x: T, { filters, stride, time }: ClipBlock): T {
  let y = net.conv(`${name}.conv1`, x, { filters, kernel: [time, 3, 3], stride: [1, stride, stride] });
  y = net.norm(`${name}.norm1`, y, { relu: true });
  y = net.conv(`${name}.conv2`, y, { filters, kernel: [1, 3, 3], start: branchStart(net, `${name}.norm2`) });
  const residual = shortcut(net, `${name}.shortcut`, x, filters, stride);
  return net.norm(`${name}.norm2`, y, { residual, relu: true, zeroGamma: true });
}

function bottleneckBlock<T>(net: Net<T>, name: string, x: T, { filters, stride, time }: ClipBlock): T {
  let y = net.conv(`${name}.conv1`, x, { filters, kernel: [time, 1, 1] });
  y = net.norm(`${name}.norm1`, y, { relu: true });
  y = net.conv(`${name}.conv2`, y, { filters, kernel: [1, 3, 3], stride: [1, stride, stride] });
  y = net.norm(`${name}.norm2`, y, { relu: true });
  y = net.conv(`${name}.conv3`, y, {
    filters: 4 * filters,
    kernel: 1,
    start: branchStart(net, `${name}.norm3`),
  });
  const residual = shortcut(net, `${name}.shortcut`, x, 4 * filters, stride);
  return net.norm(`${name}.norm3`, y, { residual, relu: true, zeroGamma: true });
}

function shortcut<T>(net: Net<T>, name: string, x: T, filters: number, stride: number): T {
  if (stride === 1 && net.channels(x) === filters) return x;
  const y = net.conv(`${name}.conv`, x, { filters, kernel: 1, stride: [1, stride, stride] });
  return net.norm(`${name}.norm`, y);
}
