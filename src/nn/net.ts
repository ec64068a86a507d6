/**
 * The language that models are written in. A model is a function of a `Net` and its input; the same function, given a
 * `ShapeNet`, lists layers and parameters without computing anything, and given a `TensorNet`, computes.
 */

/** A number for each dimension of the pixels, `[time, height, width]` say; one number is the same for all. */
export type PerDimension = number | readonly number[];

/** The numbers of all `dimensions`. @throws Error for a list of another length */
export function perDimension(value: PerDimension, dimensions: number): readonly number[] {
  if (typeof value === 'number') return Array(dimensions).fill(value);
  if (value.length === dimensions) return value;
  throw new Error(
    `[${value.join(', ')}] has ${value.length} numbers where there are ${dimensions} dimensions`,
  );
}

/**
 * The first values of a layer's weights: `he`, N(0, 2/fan-out); `xavier`, evenly with the variance 1/fan-in; or a
 * normal distribution's standard deviation.
 */
export type Start = 'he' | 'xavier' | number;

export interface Convolution {
  filters: number;
  /** Odd sides of the kernel. */
  kernel: PerDimension;
  stride?: PerDimension;
  /** On each side; (kernel − 1) / 2 unless said. */
  padding?: PerDimension;
  bias?: boolean;
  /** No normalizer follows, so that one of weights leaves its filters alone. */
  plain?: boolean;
  start?: Start;
  /** The input is the image itself, whose gradient is never needed: it may be left at zero. */
  ofImage?: boolean;
}

export interface Pooling {
  /** Sides of the window. */
  kernel: PerDimension;
  stride: PerDimension;
  /** On each side; (kernel − 1) / 2, rounded down, unless said. */
  padding?: PerDimension;
}

/** The window that slides over pixels: the numbers of a convolution or a pooling in all dimensions. */
export function windowOf(
  { kernel, stride = 1, padding }: Pick<Convolution, 'kernel' | 'stride' | 'padding'>,
  dimensions: number,
) {
  const sides = perDimension(kernel, dimensions);
  const pads = sides.map((side) => Math.floor((side - 1) / 2));
  return {
    kernel: sides,
    stride: perDimension(stride, dimensions),
    padding: padding === undefined ? pads : perDimension(padding, dimensions),
  };
}

export interface NormalizationOptions<T> {
  /** max(·, 0) behind the normalizer. */
  relu?: boolean;
  /** Added to the normalizer's output, before the ReLU. */
  residual?: T;
  /** Start with γ = 0, so that a residual block begins as its shortcut (the paper, §4.1). */
  zeroGamma?: boolean;
}

/** T is a feature map, `[N, H, W, C]` or `[N, T, H, W, C]`: a tensor, or only its shape. */
export interface Net<T> {
  /** Without a bias, unless it is asked for: a normalizer follows. */
  conv(name: string, x: T, options: Convolution): T;
  norm(name: string, x: T, options?: NormalizationOptions<T>): T;
  /** False where the layer's normalizer is none, so that the convolution before it has a use for a bias. */
  isNormalized(name: string): boolean;
  /** True where the convolution before this layer, the last of a residual block's branch, is to start at 0. */
  startsBranchAtZero(name: string): boolean;
  relu(x: T): T;
  add(x: T, y: T): T;
  maxPool(x: T, options: Pooling): T;
  /** `[N, …pixels, C]` → `[N, …pixels·C]` */
  flatten(x: T): T;
  /** In training, sets a share `rate` of the numbers to 0. */
  dropout(x: T, rate: number): T;
  /** The parameter-free shortcut: every `stride`-th pixel, channels of zeros behind. */
  subsample(x: T, stride: PerDimension, channels: number): T;
  channels(x: T): number;
  /** `[N, …pixels, C]` → `[N, C]` */
  globalAveragePool(x: T): T;
  /** `[N, C]` → `[N, units]`, with bias; N(0, 0.01²) unless said. */
  dense(name: string, x: T, units: number, start?: Start): T;
  /** Each pixel becomes a square of 2 × 2. */
  upsample(x: T): T;
  /** A transposed convolution, 2×2 with stride 2 and bias: `[N, H, W, C]` → `[N, 2H, 2W, filters]`. */
  deconv(name: string, x: T, filters: number): T;
}

/**
 * A function from standardized images `[N, H, W, 3]` to named outputs: `logits` `[N, classes]`, and of a residual
 * network the feature maps behind its stages, `c2` and on, as the literature on detection calls them.
 */
export interface Model {
  <T>(net: Net<T>, images: T): Record<string, T>;
  /** A detector's layers that look at regions of the images, which its task chooses in between. */
  regionHeads?: Readonly<Record<string, RegionHead>>;
}

/** Layers on the features of regions: T is `[R, size, size, channels]`, of one region for a shape. */
export interface RegionHead {
  apply<T>(net: Net<T>, features: T): Record<string, T>;
  size: number;
  channels: number;
  /** Regions that a training step has for each image. */
  perImage: number;
}

/** Layers behind a model's outputs, which give further outputs. */
export type Head = <T>(net: Net<T>, outputs: Record<string, T>) => Record<string, T>;

/** The model with a head behind it. */
export function withHead(model: Model, head: Head): Model {
  const whole: Model = (net, images) => {
    const outputs = model(net, images);
    return { ...outputs, ...head(net, outputs) };
  };
  return Object.assign(whole, { regionHeads: model.regionHeads });
}
