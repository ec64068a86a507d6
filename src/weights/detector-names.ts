/** The names of a detector's layers in torchvision, behind those of its backbone. */

/** With a normalizer behind it, a convolution and the normalizer are the two members of one of theirs. */
const convolutions: [ours: RegExp, theirs: (number: number) => string][] = [
  [/^neck\.lateral(\d)(Norm)?$/, (level) => `backbone.fpn.inner_blocks.${level - 2}`],
  [/^neck\.output(\d)(Norm)?$/, (level) => `backbone.fpn.layer_blocks.${level - 2}`],
  [/^boxHead\.conv(\d+)(Norm)?$/, (number) => `roi_heads.box_head.${number - 1}`],
  [/^maskHead\.conv(\d+)(Norm)?$/, (number) => `roi_heads.mask_head.${number - 1}`],
];

const others: Record<string, string> = {
  'proposals.conv': 'rpn.head.conv.0.0',
  'proposals.logits': 'rpn.head.cls_logits',
  'proposals.shifts': 'rpn.head.bbox_pred',
  'boxHead.logits': 'roi_heads.box_predictor.cls_score',
  'boxHead.shifts': 'roi_heads.box_predictor.bbox_pred',
  'maskHead.deconv': 'roi_heads.mask_predictor.conv5_mask',
  'maskHead.masks': 'roi_heads.mask_predictor.mask_fcn_logits',
};

/** The names that torchvision had until its layers got normalizers; the weights that it publishes still have them. */
const earlier: [before: RegExp, now: string][] = [
  [/^rpn\.head\.conv\.(weight|bias)$/, 'rpn.head.conv.0.0.$1'],
  [/^backbone\.fpn\.(inner|layer)_blocks\.(\d)\.(weight|bias)$/, 'backbone.fpn.$1_blocks.$2.0.$3'],
];

/** Tensors under the names that torchvision has now, as it renames them itself when it loads them. */
export function withPresentNames<Tensor>(tensors: Record<string, Tensor>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const mask = /^roi_heads\.mask_head\.mask_fcn(\d)\.(weight|bias)$/.exec(name);
      if (mask) return [`roi_heads.mask_head.${Number(mask[1]) - 1}.0.${mask[2]}`, tensor];
      const [pattern, now] = earlier.find(([before]) => before.test(name)) ?? [];
      return [pattern ? name.replace(pattern, now!) : name, tensor];
    }),
  );
}

/** The bias of the classifier, which has one number more than there are classes: background's. */
export const detectorHeadBias = 'roi_heads.box_predictor.cls_score.bias';

/**
 * @param convolved true for the box head `4conv1fc`, whose layers are numbered through
 * @param ofBackbone the name of a layer of a ResNet
 */
export function detectorLayer(
  layer: string,
  convolved: boolean,
  ofBackbone: (layer: string) => string | undefined,
): string | undefined {
  const backbone = /^backbone\.(.+)$/.exec(layer);
  if (backbone) {
    const theirs = ofBackbone(backbone[1]);
    return theirs && `backbone.body.${theirs}`;
  }
  const dense = /^boxHead\.fc([12])$/.exec(layer);
  if (dense) return convolved ? 'roi_heads.box_head.5' : `roi_heads.box_head.fc${5 + Number(dense[1])}`;
  for (const [ours, theirs] of convolutions) {
    const found = ours.exec(layer);
    if (found) return `${theirs(Number(found[1]))}.${found[2] ? 1 : 0}`;
  }
  return Object.hasOwn(others, layer) ? others[layer] : undefined;
}
