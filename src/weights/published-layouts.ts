/** How PyTorch lays out what gnbench has as convolutions `[…kernel, in, out]` and dense layers `[in, out]`. */

import { vggStages } from '../models/vgg.js';
import { isPublishedDetector, type WeightsLibrary } from './published-names.js';

export interface PublishedLayout {
  /** PyTorch's shape. */
  shape: number[];
  /** The same numbers with all axes that change places; `axes[i]` of them is ours at i, of which some may be merged. */
  view: number[];
  axes: number[];
}

/** The layout of the variable with this name and shape, both gnbench's. */
export function publishedLayout(
  name: string,
  shape: readonly number[],
  { library, model }: { library: WeightsLibrary; model: string },
): PublishedLayout {
  const [inputs, outputs] = shape.slice(-2);
  const dense = model === 'vgg16' && shape.length === 2;
  if (dense && name === 'fc1.weight') return vggFirstDense(inputs, outputs, library);
  if (isPublishedDetector(model)) {
    if (name === 'boxHead.fc1.weight') return firstDense(inputs, outputs);
    if (name === 'maskHead.deconv.weight') return transposed(shape);
  }
  const pointwise = dense && name === 'fc2.weight' && library === 'timm'; // a 1×1 convolution there
  if (shape.length > 2 || pointwise) {
    const kernel = pointwise ? [1, 1] : shape.slice(0, -2);
    const view = [outputs, inputs, ...kernel];
    return { shape: view, view, axes: [...kernel.map((_, axis) => axis + 2), 1, 0] };
  }
  if (shape.length === 2) return plainDense(inputs, outputs);
  return { shape: [...shape], view: [...shape], axes: shape.map((_, axis) => axis) };
}

const plainDense = (inputs: number, outputs: number): PublishedLayout => ({
  shape: [outputs, inputs],
  view: [outputs, inputs],
  axes: [1, 0],
});

/** The sides of the features that torchvision's box head flattens, as `[C, H, W]`. */
export const pooledSide = 7;

function firstDense(inputs: number, outputs: number): PublishedLayout {
  const channels = inputs / pooledSide ** 2;
  if (!Number.isInteger(channels)) return plainDense(inputs, outputs); // none of theirs
  const view = [outputs, channels, pooledSide, pooledSide];
  return { shape: [outputs, inputs], view, axes: [2, 3, 1, 0] };
}

/** A transposed convolution's weights are `[in, out, …kernel]` there, and `[…kernel, in, out]` here. */
function transposed([height, width, inputs, outputs]: readonly number[]): PublishedLayout {
  const view = [inputs, outputs, height, width];
  return { shape: view, view, axes: [2, 3, 0, 1] };
}

/** VGG's first dense layer sees its feature map as `[H, W, C]` here and as `[C, H, W]` there, where timm convolves. */
function vggFirstDense(inputs: number, outputs: number, library: WeightsLibrary): PublishedLayout {
  const channels = vggStages.at(-1)!.at(-1)!;
  const side = Math.sqrt(inputs / channels);
  if (!Number.isInteger(side)) return plainDense(inputs, outputs); // no VGG-16's, whatever the file says
  const view = [outputs, channels, side, side];
  return { shape: library === 'timm' ? view : [outputs, inputs], view, axes: [2, 3, 1, 0] };
}

/** The tensor of shape `view` with axis `axes[i]` at i. */
export function transpose(
  data: Float32Array,
  view: readonly number[],
  axes: readonly number[],
): Float32Array {
  if (axes.every((axis, index) => axis === index)) return data;
  const strides = view.map((_, axis) => view.slice(axis + 1).reduce((product, size) => product * size, 1));
  // As at least four axes, the first ones of length 1; of more, the outermost are one after the other.
  const padding = Math.max(0, 4 - axes.length);
  const size = (at: number) => (at < padding ? 1 : view[axes[at - padding]]);
  const step = (at: number) => (at < padding ? 0 : strides[axes[at - padding]]);
  const outer = Math.max(0, axes.length - 4);
  const inner = [0, 1, 2, 3].map((at) => at + outer);
  const [sizes, steps] = [inner.map(size), inner.map(step)];
  const out = new Float32Array(data.length);
  const block = sizes.reduce((product, each) => product * each, 1);
  const copy = (origin: number, target: number) => {
    // A cache line of the result at a time: an axis that was first and becomes last is strided through, in VGG by 100 kB.
    for (let start = 0; start < sizes[3]; start += 16) {
      const end = Math.min(sizes[3], start + 16);
      for (let a = 0, row = target + start; a < sizes[0]; a++) {
        for (let b = 0; b < sizes[1]; b++) {
          for (let c = 0; c < sizes[2]; c++, row += sizes[3]) {
            let from = origin + a * steps[0] + b * steps[1] + c * steps[2] + start * steps[3];
            for (let d = start, to = row; d < end; d++, from += steps[3]) out[to++] = data[from];
          }
        }
      }
    }
  };
  for (let target = 0; target < data.length; target += block) {
    let origin = 0;
    for (let axis = outer - 1, rest = target / block; axis >= 0; axis--) {
      origin += (rest % size(axis)) * step(axis);
      rest = Math.floor(rest / size(axis));
    }
    copy(origin, target);
  }
  return out;
}

/** The order of axes that undoes `axes`. */
export const inverse = (axes: readonly number[]): number[] => axes.map((_, axis) => axes.indexOf(axis));
