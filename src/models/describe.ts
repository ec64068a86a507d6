import type { Model, RegionHead } from '../nn/net.js';
import { type LayerDescription, type ModelDescription, ShapeNet } from '../nn/shape-net.js';
import { createNormalizers, type NormalizerConfig } from '../normalizers/index.js';

/**
 * Lists a model's layers and variables without computing anything: no engine is loaded.
 * @param shape one image, `[H, W, C]`, or one clip, `[T, H, W, C]`
 * @throws UserError when the normalizer does not fit a layer's channels
 */
export function describeModel(
  model: Model,
  normalizer: NormalizerConfig,
  { shape }: { shape: number[] },
): ModelDescription {
  const net = new ShapeNet(createNormalizers(normalizer).of);
  const outputs = model<number[]>(net, shape);
  for (const head of Object.values(model.regionHeads ?? {})) ofRegions(net, head);
  const total = (pick: (layer: LayerDescription) => number) =>
    net.layers.reduce((sum, layer) => sum + pick(layer), 0);
  const size = ({ outputShape }: LayerDescription) =>
    outputShape.reduce((product, side) => product * side, 1);
  return {
    layers: net.layers,
    variables: net.variables,
    outputs,
    parameters: total((layer) => layer.parameters),
    flops: total((layer) => layer.flops),
    activations: total((layer) => (layer.kind === 'shortcut' ? 0 : size(layer))),
  };
}

/** Walks a head on one region; its layers count once for every region of an image. */
function ofRegions(net: ShapeNet, { apply, size, channels, perImage }: RegionHead): void {
  const before = net.layers.length;
  apply<number[]>(net, [size, size, channels]);
  for (const layer of net.layers.slice(before)) {
    layer.outputShape = [perImage, ...layer.outputShape];
    layer.flops *= perImage;
  }
}
