/**
 * Faster R-CNN (Ren et al. 2015) and Mask R-CNN (He et al. 2017, arXiv 1703.06870) as the paper trains them (§4.2), after
 * the code that it used. A model of these gives maps and, for every anchor on them, what is proposed there; its heads
 * are applied to the regions that the task chooses from that.
 */
import type { Model } from '../../nn/net.js';
import { netOfPart } from '../../nn/net-of-part.js';
import { stageBlocks, stem } from '../resnet.js';
import { proposalHead } from './proposal-head.js';
import { pyramid } from './pyramid.js';
import { pyramidHeads, stageHeads } from './region-heads.js';
import { type DetectorConfig, settingsOf } from './settings.js';

/**
 * The outputs are the maps by their names, and of each `<name>.logits` `[N, H, W, A]` and `<name>.shifts`
 * `[N, H, W, 4·A]` of its A anchors a pixel.
 */
export function rcnn(config: DetectorConfig, classes: number): Model {
  const settings = settingsOf(config);
  const { depth, maps, proposalChannels } = settings;
  const { neck, neckChannels, strideIn1x1, anchors } = config;
  const features: Model = (net, images) => {
    const backbone = netOfPart(net, 'backbone');
    let x = stem(backbone, images);
    const behind: (typeof x)[] = [];
    for (let stage = 0; stage < (neck === 'fpn' ? 4 : 3); stage++) {
      x = stageBlocks(backbone, x, { depth, stage, strideIn1x1 });
      behind.push(x);
    }
    const outputs = neck === 'fpn' ? pyramid(netOfPart(net, 'neck'), behind, neckChannels) : { c4: x };
    const found: typeof outputs = {};
    for (const { name, sizes } of maps) {
      const options = { channels: proposalChannels, anchors: sizes.length * anchors.ratios.length };
      const { logits, shifts } = proposalHead(netOfPart(net, 'proposals'), outputs[name], options);
      found[`${name}.logits`] = logits;
      found[`${name}.shifts`] = shifts;
    }
    return { ...outputs, ...found };
  };
  const heads = neck === 'fpn' ? pyramidHeads : stageHeads;
  return Object.assign(features, { regionHeads: heads(config, settings, classes) });
}
