import type { Model } from '../nn/net.js';
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
