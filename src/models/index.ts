import type { Config } from '../config/schema.js';
import type { Model } from '../nn/net.js';
import { rcnn } from './detection/rcnn.js';
import { clipResnet } from './i3d.js';
import { resnet } from './resnet.js';
import { preactivationResnetCifar, resnetCifar } from './resnet-cifar.js';
import { vgg16 } from './vgg.js';

/** The model that a configuration names. */
export function createModel(config: Config['model'], classes: number): Model {
  switch (config.name) {
    case 'vgg16':
      return vgg16({ classes, dropout: config.dropout });
    case 'mask-rcnn':
    case 'faster-rcnn':
      return rcnn(config, classes);
    case 'resnet18-cifar':
      return resnet(18, { classes, stem: '3x3' });
    case 'resnet18':
    case 'resnet34':
      return resnet(depthOf(config.name), { classes });
    case 'resnet50':
    case 'resnet101':
    case 'resnet152':
      return resnet(depthOf(config.name), { classes, strideIn1x1: config.strideIn1x1 });
    case 'i3d-resnet18':
    case 'i3d-resnet34':
    case 'i3d-resnet50':
    case 'c2d-resnet18':
    case 'c2d-resnet34':
    case 'c2d-resnet50':
      return clipResnet(depthOf(config.name), {
        classes,
        inflated: config.name.startsWith('i3d'),
        dropout: config.dropout,
        timeStrides: config.timeStrides,
      });
    default:
      return (config.name.startsWith('preact-') ? preactivationResnetCifar : resnetCifar)(
        depthOf(config.name),
        config.shortcut,
        classes,
      );
  }
}

/** `preact-resnet110` → 110 */
const depthOf = (name: string): number => Number(/\d+$/.exec(name)![0]);
