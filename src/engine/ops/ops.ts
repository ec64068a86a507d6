/**
 * TensorFlow operations that TensorFlow.js has no name for, or differentiates in many small steps, as differentiable
 * functions of tensors. Each is one node forward and one or two backward, eager and recorded alike.
 */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node-gpu';
import { outlive } from '../gradients.js';
import { DataType } from '../graph/graph.js';
import { backend, loaded, type OpAttribute, tf } from '../load.js';

const attribute = (type: string, name: string, value: unknown): OpAttribute => ({
  name,
  type: backend.binding[`TF_ATTR_${type}`],
  value,
});
export const ints = (name: string, value: number | number[]) => attribute('INT', name, value);
export const floats = (name: string, value: number | number[]) => attribute('FLOAT', name, value);
export const bools = (name: string, value: boolean | boolean[]) => attribute('BOOL', name, value);
export const text = (name: string, value: string) => attribute('STRING', name, value);
export const type = (name: string, value: number) => attribute('TYPE', name, value);

/** Runs one TensorFlow operation and wraps its outputs as tensors; no gradient. */
export function execute(op: string, attributes: OpAttribute[], inputs: Tensor[], outputs = 1): Tensor[] {
  const results = backend.binding.executeOp(op, attributes, backend.getInputTensorIds(inputs), outputs);
  return results.map((metadata) => backend.createOutputTensor(metadata));
}

type Saved = (tensors: Tensor[]) => void;

/** A function with a gradient of its own: `forward` returns the value and what `backward` needs of it. */
export function differentiable<Value extends Tensor>(
  inputs: Tensor[],
  forward: (...inputs: Tensor[]) => { value: Value; saved: Tensor[] },
  backward: (gradient: Value, saved: Tensor[]) => Tensor[],
): Value {
  const operation = tf.customGrad((...all) => {
    const save = all.pop() as unknown as Saved;
    const { value, saved } = forward(...(all as Tensor[]));
    save(saved);
    return {
      value,
      gradFunc: (gradient: Tensor, kept: Tensor[]) => backward(gradient as Value, kept),
    };
  });
  return operation(...inputs) as Value;
}

/** An int32 tensor made from literals: shapes, paddings, axes. */
const constant = (values: number[]) => tf.tensor1d(values, 'int32');

/**
 * 2-D convolution with PyTorch's symmetric padding (TensorFlow's SAME pads unevenly at stride 2).
 * @param x `[N, H, W, C]`
 * @param weight `[kernel, kernel, C, filters]`
 * @param own where gnbench's own kernels are to be used, as far as they can: nowhere, for few channels, for all
 * @returns `[N, H', W', filters]` with `H' = floor((H + 2·padding − kernel) / stride) + 1`
 */
export function conv2d(
  x: Tensor4D,
  weight: Tensor4D,
  { stride, padding, own = 'none' }: { stride: number; padding: number; own?: 'none' | 'small' | 'all' },
): Tensor4D {
  const [, , channels, filters] = weight.shape;
  const wanted = own === 'all' || (own === 'small' && channels * filters <= mostOwnChannels);
  if (wanted && hasOwnKernel(x.shape, weight.shape, stride, padding)) return ownConv2d(x, weight, stride);
  const attributes = () => [
    type('T', DataType.float),
    ints('strides', [1, stride, stride, 1]),
    bools('use_cudnn_on_gpu', true),
    ints('dilations', [1, 1, 1, 1]),
    text('data_format', 'NHWC'),
    ...convPadding(x.shape, weight.shape[0], stride, padding),
  ];
  return differentiable(
    [x, weight],
    (input, filter) => ({
      value: execute('Conv2D', attributes(), [input, filter])[0] as Tensor4D,
      saved: [input, filter],
    }),
    (gradient, [input, filter]) => {
      const sizes = constant(input.shape);
      const shape = constant(filter.shape);
      return [
        ...execute('Conv2DBackpropInput', attributes(), [sizes, filter, gradient]),
        ...execute('Conv2DBackpropFilter', attributes(), [input, shape, gradient]),
      ];
    },
  );
}

/**
 * Input times output channels up to which gnbench's own float32 kernels are faster than oneDNN's: those of CIFAR's
 * networks, and the first stage of ResNet-50. (With 16 images of 224×224 a step of ResNet-50 takes 2.5 s so; with own
 * kernels everywhere 5, as pixels with a thousand channels push each other out of the first-level cache.)
 */
const mostOwnChannels = 128 * 128;

/**
 * Whether gnbench's own convolution kernels can do it: they have no set-up cost, which at a few small images a step is
 * most of what TensorFlow's take.
 */
function hasOwnKernel(input: number[], weight: number[], stride: number, padding: number): boolean {
  const [kernel, , channels, filters] = weight;
  const sized = (kernel === 1 || kernel === 3) && padding === (kernel - 1) / 2 && stride <= 2;
  // Of images, with their three channels, nobody wants the gradient.
  return loaded.fused && sized && filters % 16 === 0 && (channels % 16 === 0 || input[3] === 3);
}

function ownConv2d(x: Tensor4D, weight: Tensor4D, stride: number): Tensor4D {
  const [, height, width, channels] = x.shape;
  const strides = ints('stride', stride);
  return differentiable(
    [x, weight],
    (input, filter) => ({
      value: execute('GnbenchConv', [strides], [input, filter])[0] as Tensor4D,
      saved: [input, filter],
    }),
    (gradient, [input, filter]) => {
      const size = [ints('height', height), ints('width', width), bools('has_addend', false)];
      const inputs = [gradient, filter, tf.tensor1d([])];
      const kernel = ints('kernel', filter.shape[0]);
      return [
        channels === 3
          ? tf.zerosLike(input)
          : execute('GnbenchConvBackpropInput', [strides, ...size], inputs)[0],
        execute('GnbenchConvBackpropFilter', [strides, kernel], [input, gradient])[0],
      ];
    },
  );
}

/** SAME where it means the same, since its kernels are the better tuned; else EXPLICIT. */
function convPadding(shape: number[], kernel: number, stride: number, padding: number): OpAttribute[] {
  if (padding === 0) return [text('padding', 'VALID')];
  const same = shape.slice(1, 3).every((size) => {
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
    return (
      total === 2 * padding && Math.ceil(size / stride) === Math.floor((size + total - kernel) / stride) + 1
    );
  });
  if (same) return [text('padding', 'SAME')];
  const pads = [0, 0, padding, padding, padding, padding, 0, 0];
  return [text('padding', 'EXPLICIT'), ints('explicit_paddings', pads)];
}

/** x as a constant to whatever is differentiated. */
export const stopGradient = (x: Tensor): Tensor =>
  execute('StopGradient', [type('T', DataType.float)], [x])[0];

/** max(x, 0). */
export function relu<T extends Tensor>(x: T): T {
  return differentiable(
    [x],
    (input) => {
      const [y] = execute('Relu', [type('T', DataType.float)], [input]);
      return { value: y as T, saved: [y] };
    },
    (gradient, [y]) => execute('ReluGrad', [type('T', DataType.float)], [gradient, y]),
  );
}

/**
 * max(y + residual, 0), as far as asked for; gnbench's own kernel for feature maps, where `own` allows it.
 * @param y `[N, …pixels, C]`
 */
export function rectified(
  y: Tensor,
  { relu: withRelu, residual, own }: { relu: boolean; residual?: Tensor; own: boolean },
): Tensor {
  if (withRelu && own && loaded.fused) return ownRectify(y, residual);
  const sum = residual ? y.add(residual) : y;
  return withRelu ? relu(sum) : sum;
}

function ownRectify(x: Tensor, residual?: Tensor): Tensor {
  const float = type('T', DataType.float);
  const forward = [float, bools('has_residual', residual !== undefined)];
  return differentiable(
    residual ? [x, residual] : [x],
    (input, added = tf.tensor1d([])) => {
      const [y] = execute('GnbenchRectify', forward, [input, added]);
      return { value: y, saved: [y] };
    },
    (gradient, [y]) => {
      const [dx] = execute('GnbenchRectifyGrad', [float], [gradient, y]);
      return residual ? [dx, dx] : [dx];
    },
  );
}

/**
 * Mean over all pixels.
 * @param x `[N, …pixels, C]` @returns `[N, C]`
 */
export function globalAveragePool(x: Tensor): Tensor2D {
  if (loaded.fused && x.rank === 4) return ownGlobalAverage(x);
  const axes = x.shape.slice(1, -1).map((_, index) => index + 1);
  const pixels = x.shape.slice(1, -1).reduce((product, size) => product * size, 1);
  const types = [type('T', DataType.float), type('Tidx', DataType.int32)];
  return differentiable(
    [x],
    (input) => ({
      value: execute('Mean', [bools('keep_dims', false), ...types], [input, constant(axes)])[0] as Tensor2D,
      saved: [],
    }),
    (gradient) => {
      const perPixel = gradient.mul(1 / pixels).reshape([x.shape[0], ...axes.map(() => 1), x.shape.at(-1)!]);
      return execute('BroadcastTo', types, [perPixel, constant(x.shape)]);
    },
  );
}

function ownGlobalAverage(x: Tensor): Tensor2D {
  const float = type('T', DataType.float);
  const [, height, width] = x.shape as number[];
  const size = [ints('height', height), ints('width', width)];
  return differentiable(
    [x],
    (input) => ({ value: execute('GnbenchGlobalAverage', [float], [input])[0] as Tensor2D, saved: [] }),
    (gradient) => execute('GnbenchGlobalAverageGrad', [float, ...size], [gradient]),
  );
}

/**
 * The identity shortcut of He et al. 2016 (type A): every `stride`-th pixel, and channels of zeros behind.
 * @param x `[N, H, W, C]` @returns `[N, ⌈H/stride⌉, ⌈W/stride⌉, channels]`
 */
export function subsample(x: Tensor4D, stride: number, channels: number): Tensor4D {
  if (loaded.fused) return ownSubsample(x, stride, channels);
  const sliceTypes = [
    type('T', DataType.float),
    type('Index', DataType.int32),
    // Masks: bit i set means "from the start" and "to the end" on axis i.
    ints('begin_mask', 0b1111),
    ints('end_mask', 0b1111),
    ints('ellipsis_mask', 0),
    ints('new_axis_mask', 0),
    ints('shrink_axis_mask', 0),
  ];
  const bounds = () => [constant([0, 0, 0, 0]), constant([0, 0, 0, 0]), constant([1, stride, stride, 1])];
  const extra = channels - x.shape[3];
  return differentiable(
    [x],
    (input) => {
      const [sliced] = execute('StridedSlice', sliceTypes, [input, ...bounds()]);
      const paddings = tf.tensor2d([0, 0, 0, 0, 0, 0, 0, extra], [4, 2], 'int32');
      const padTypes = [type('T', DataType.float), type('Tpaddings', DataType.int32)];
      return { value: execute('Pad', padTypes, [sliced, paddings])[0] as Tensor4D, saved: [] };
    },
    (gradient) => {
      const kept = [...gradient.shape.slice(0, 3), x.shape[3]];
      const sliceOf = [type('T', DataType.float), type('Index', DataType.int32)];
      const [dy] = execute('Slice', sliceOf, [gradient, constant([0, 0, 0, 0]), constant(kept)]);
      return execute('StridedSliceGrad', sliceTypes, [constant(x.shape), ...bounds(), dy]);
    },
  );
}

function ownSubsample(x: Tensor4D, stride: number, channels: number): Tensor4D {
  const [, height, width, inner] = x.shape;
  const shared = [type('T', DataType.float), ints('stride', stride)];
  const size = [ints('height', height), ints('width', width), ints('channels', inner)];
  return differentiable(
    [x],
    (input) => {
      const [y] = execute('GnbenchSubsample', [...shared, ints('channels', channels)], [input]);
      return { value: y as Tensor4D, saved: [] };
    },
    (gradient) => execute('GnbenchSubsampleGrad', [...shared, ...size], [gradient]),
  );
}

/**
 * Cross-entropy of softmax(logits), and how many images it gets wrong.
 * @param logits `[N, classes]` @param labels `[N]`, int32
 * @returns the mean loss in nats and the count of wrong images, both scalars
 */
export function softmaxCrossEntropy(logits: Tensor2D, labels: Tensor): { loss: Tensor; errors: Tensor } {
  if (loaded.fused) return ownSoftmaxCrossEntropy(logits, labels);
  const types = [type('T', DataType.float), type('Tlabels', DataType.int32)];
  const losses = differentiable(
    [logits],
    (input) => {
      const [perImage, derivative] = execute(
        'SparseSoftmaxCrossEntropyWithLogits',
        types,
        [input, labels],
        2,
      );
      return { value: perImage, saved: [derivative] };
    },
    (gradient, [derivative]) => [derivative.mul(gradient.expandDims(1))],
  );
  const wrong = logits.argMax(1).notEqual(labels);
  return { loss: losses.mean(), errors: wrong.cast('float32').sum() };
}

function ownSoftmaxCrossEntropy(logits: Tensor2D, labels: Tensor): { loss: Tensor; errors: Tensor } {
  let errors: Tensor | undefined;
  const loss = differentiable(
    [logits],
    (input) => {
      const [mean, wrong, derivative] = execute('GnbenchSoftmaxLoss', [], [input, labels], 3);
      errors = outlive(wrong);
      return { value: mean, saved: [derivative] };
    },
    (gradient, [derivative]) => [derivative.mul(gradient)],
  );
  return { loss, errors: errors! };
}

/**
 * (pixel − mean) / std per channel.
 * @param images `[N, H, W, C]`, uint8
 */
export function standardize(images: Tensor, mean: number[], std: number[]): Tensor4D {
  const scale = std.map((value) => 1 / value);
  if (loaded.fused) {
    const inputs = [images, tf.tensor1d(mean), tf.tensor1d(scale)];
    return execute('GnbenchImages', [type('T', DataType.float)], inputs)[0] as Tensor4D;
  }
  const casts = [type('SrcT', DataType.uint8), type('DstT', DataType.float), bools('Truncate', false)];
  const [pixels] = execute('Cast', casts, [images]);
  return pixels.sub(tf.tensor1d(mean)).mul(tf.tensor1d(scale)) as Tensor4D;
}
