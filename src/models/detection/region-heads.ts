/** The layers of a detector that look at regions: which class each is of, its box, its mask. */
import type { Net, RegionHead } from '../../nn/net.js';
import { netOfPart } from '../../nn/net-of-part.js';
import { stageBlocks, stageChannels } from '../resnet.js';
import { normalizedConv } from './layer.js';
import type { DetectorConfig, DetectorSettings } from './settings.js';

/** Convolutions of the box head `4conv1fc`. */
const boxConvolutions = 4;

/**
 * Heads on a pyramid's maps, each with features of its own. Background is class 0, and has a box and a mask as every
 * class has (the paper's code, and torchvision).
 */
export function pyramidHeads(
  config: DetectorConfig,
  { hasMasks, boxSize, regions, positives }: DetectorSettings,
  classes: number,
): Record<string, RegionHead> {
  const { boxHead, neckChannels, headChannels, denseUnits, pooling } = config;
  const box: RegionHead = {
    size: boxSize,
    channels: neckChannels,
    perImage: regions,
    apply(whole, features) {
      const net = netOfPart(whole, 'boxHead');
      let x = features;
      if (boxHead === '4conv1fc') x = convolutions(net, x, boxConvolutions, headChannels);
      x = net.flatten(x);
      for (let layer = 1; layer <= (boxHead === '2fc' ? 2 : 1); layer++) {
        x = net.relu(net.dense(`fc${layer}`, x, denseUnits, 'xavier'));
      }
      return boxPredictions(net, x, classes);
    },
  };
  const mask: RegionHead = {
    size: pooling.mask,
    channels: neckChannels,
    perImage: positives,
    apply(whole, features) {
      const net = netOfPart(whole, 'maskHead');
      const count = 'maskConvolutions' in config ? config.maskConvolutions : 0;
      return maskPredictions(net, convolutions(net, features, count, headChannels), headChannels, classes);
    },
  };
  return hasMasks ? { box, mask } : { box };
}

/**
 * Heads on the map behind the third stage: the fourth one is applied to every region (He et al. 2017, arXiv 1703.06870,
 * Figure 4, left). Its output, `features`, is the box head's and the mask head's.
 */
export function stageHeads(
  config: DetectorConfig,
  { depth, hasMasks, boxSize, regions, positives }: DetectorSettings,
  classes: number,
): Record<string, RegionHead> {
  const { strideIn1x1, headChannels } = config;
  const box: RegionHead = {
    size: boxSize,
    channels: stageChannels(depth, 2),
    perImage: regions,
    apply(net, input) {
      const options = { depth, stage: 3, strideIn1x1 };
      const features = stageBlocks(netOfPart(net, 'backbone'), input, options);
      return {
        features,
        ...boxPredictions(netOfPart(net, 'boxHead'), net.globalAveragePool(features), classes),
      };
    },
  };
  const mask: RegionHead = {
    size: boxSize / 2,
    channels: stageChannels(depth, 3),
    perImage: positives,
    apply: (net, features) => maskPredictions(netOfPart(net, 'maskHead'), features, headChannels, classes),
  };
  return hasMasks ? { box, mask } : { box };
}

function convolutions<T>(net: Net<T>, features: T, count: number, filters: number): T {
  let x = features;
  for (let index = 0; index < count; index++) {
    x = normalizedConv(net, `conv${index + 1}`, x, { filters, kernel: 3, relu: true });
  }
  return x;
}

/** `logits` `[R, classes + 1]`, and `shifts`, four numbers for each class, `[R, 4·(classes + 1)]`. */
function boxPredictions<T>(net: Net<T>, x: T, classes: number): Record<string, T> {
  return {
    logits: net.dense('logits', x, classes + 1, 0.01),
    shifts: net.dense('shifts', x, 4 * (classes + 1), 0.001),
  };
}

/** `masks`: logits of twice the features' sides, one map for each class, `[R, 2·size, 2·size, classes + 1]`. */
function maskPredictions<T>(net: Net<T>, x: T, channels: number, classes: number): Record<string, T> {
  const larger = net.relu(net.deconv('deconv', x, channels));
  return { masks: net.conv('masks', larger, { filters: classes + 1, kernel: 1, bias: true, plain: true }) };
}
