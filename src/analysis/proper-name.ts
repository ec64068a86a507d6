/** Names as the field writes them. */
import type { Config } from '../config/schema.js';

const properNames: Record<string, string> = {
  cifar10: 'CIFAR-10',
  cifar100: 'CIFAR-100',
  imagenet: 'ImageNet',
  synthetic: 'a synthetic problem',
  'synthetic-video': 'drawn motions',
  'motion-of-photographs': 'photographs that move',
  'video-folder': 'a folder of videos',
  'image-folder': 'a folder of images',
  coco: 'data in COCO’s form',
  shapes: 'drawn shapes',
  imagenette: 'imagenette',
  vgg16: 'VGG-16',
  'mask-rcnn': 'Mask R-CNN',
  'faster-rcnn': 'Faster R-CNN',
};

export function properName(name: string): string {
  if (Object.hasOwn(properNames, name)) return properNames[name];
  return name
    .replace(/^(preact-)?resnet(\d+)/, (_, pre, depth) => `${pre ?? ''}ResNet-${depth}`)
    .replace(/^(i3d|c2d)-resnet(\d+)$/, (_, kind, depth) => `${kind.toUpperCase()} ResNet-${depth}`);
}

/** `ResNet-20`; a detector with its backbone and neck: `Mask R-CNN with ResNet-18-FPN`. */
export function networkName({ model }: Config): string {
  if (!('backbone' in model)) return properName(model.name);
  return `${properName(model.name)} with ${properName(model.backbone)}-${model.neck.toUpperCase()}`;
}
