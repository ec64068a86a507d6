/** The layers and variables of a model, found by walking it with shapes in place of tensors: no engine is loaded. */
import {
  type Convolution,
  type Net,
  type NormalizationOptions,
  type PerDimension,
  type Pooling,
  perDimension,
  type Start,
  windowOf,
} from './net.js';
import type { NormalizerOf } from './normalizer.js';
import type { Initial, Role, Variable } from './variable.js';

export interface LayerDescription {
  name: string;
  kind: 'conv' | 'norm' | 'dense' | 'pool' | 'shortcut';
  /** Without the batch: `[H, W, C]` or `[C]`. */
  outputShape: number[];
  /** Trainable numbers; of layers that share theirs, the first has them. */
  parameters: number;
  /** The number of groups that a normalizer's channels form, each with statistics of its own. */
  groups?: number;
  /** Multiply-adds for one image, forward. */
  flops: number;
}

export interface ModelDescription {
  layers: LayerDescription[];
  variables: Variable[];
  /** The shape of each named output for one image: `{ c2: [56, 56, 256], …, logits: [1000] }`. */
  outputs: Record<string, number[]>;
  /** Trainable numbers in all. */
  parameters: number;
  /** Multiply-adds for one image, forward. */
  flops: number;
  /** Numbers in one image's feature maps that the backward pass needs. */
  activations: number;
}

const product = (shape: readonly number[]) => shape.reduce((all, size) => all * size, 1);

const zero: Initial = { kind: 'constant', value: 0 };

/** First values of weights; `he` is N(0, 2 / fan-out), He et al. 2015, as fb.resnet.torch has it. */
function initialOf(start: Start, fanIn: number, fanOut: number): Initial {
  if (start === 0) return zero;
  if (start === 'xavier') return { kind: 'uniform', limit: Math.sqrt(3 / fanIn) };
  return { kind: 'normal', std: start === 'he' ? Math.sqrt(2 / fanOut) : start };
}

/** The sides of what slides over a feature map. */
function outputSides(
  x: readonly number[],
  { kernel, stride, padding }: ReturnType<typeof windowOf>,
): number[] {
  return x
    .slice(0, -1)
    .map((side, index) => Math.floor((side + 2 * padding[index] - kernel[index]) / stride[index]) + 1);
}

/** T = the shape of one image's feature map. */
export class ShapeNet implements Net<number[]> {
  readonly layers: LayerDescription[] = [];
  readonly variables: Variable[] = [];
  private readonly names = new Set<string>();

  constructor(private readonly normalizerOf: NormalizerOf) {}

  conv(name: string, x: number[], { filters, bias = false, start = 'he', ...given }: Convolution): number[] {
    const channels = x.at(-1)!;
    const window = windowOf(given, x.length - 1);
    const shape = [...window.kernel, channels, filters];
    const taps = product(window.kernel);
    let parameters = this.declare(
      `${name}.weight`,
      shape,
      'weight',
      initialOf(start, taps * channels, taps * filters),
    );
    if (bias) parameters += this.declare(`${name}.bias`, [filters], 'bias', zero);
    const sides = outputSides(x, window);
    const outputShape = [...sides, filters];
    const flops = product(sides) * product(shape);
    this.layers.push({ name, kind: 'conv', outputShape, parameters, flops });
    return outputShape;
  }

  norm(name: string, x: number[], options: NormalizationOptions<number[]> = {}): number[] {
    const channels = x.at(-1)!;
    const normalizer = this.normalizerOf(name);
    const variables = normalizer.variables(name, channels, {
      zeroGamma: options.zeroGamma ?? false,
      relu: options.relu ?? false,
    });
    const parameters = variables.reduce((sum, variable) => sum + this.declareVariable(variable), 0);
    const groups = normalizer.groups?.(channels);
    this.layers.push({ name, kind: 'norm', outputShape: x, parameters, groups, flops: 2 * product(x) });
    return x;
  }

  isNormalized(name: string): boolean {
    return !this.normalizerOf(name).isNone;
  }

  startsBranchAtZero(name: string): boolean {
    return this.normalizerOf(name).zeroBranches ?? false;
  }

  relu(x: number[]): number[] {
    return x;
  }

  add(x: number[]): number[] {
    return x;
  }

  maxPool(x: number[], given: Pooling): number[] {
    const window = windowOf(given, x.length - 1);
    const outputShape = [...outputSides(x, window), x.at(-1)!];
    const flops = product(outputShape) * product(window.kernel);
    this.layers.push({ name: 'pool', kind: 'pool', outputShape, parameters: 0, flops });
    return outputShape;
  }

  flatten(x: number[]): number[] {
    return [product(x)];
  }

  dropout(x: number[]): number[] {
    return x;
  }

  subsample(x: number[], given: PerDimension, channels: number): number[] {
    const stride = perDimension(given, x.length - 1);
    const sides = x.slice(0, -1).map((side, index) => Math.ceil(side / stride[index]));
    const outputShape = [...sides, channels];
    this.layers.push({ name: 'shortcut', kind: 'shortcut', outputShape, parameters: 0, flops: 0 });
    return outputShape;
  }

  channels(x: number[]): number {
    return x.at(-1)!;
  }

  globalAveragePool(x: number[]): number[] {
    const outputShape = [x.at(-1)!];
    this.layers.push({ name: 'pool', kind: 'pool', outputShape, parameters: 0, flops: product(x) });
    return outputShape;
  }

  /** N(0, 0.01): the paper's first author's reproduction. */
  dense(name: string, x: number[], units: number, start: Start = 0.01): number[] {
    const shape = [x.at(-1)!, units];
    const parameters =
      this.declare(`${name}.weight`, shape, 'weight', initialOf(start, shape[0], units)) +
      this.declare(`${name}.bias`, [units], 'bias', zero);
    this.layers.push({ name, kind: 'dense', outputShape: [units], parameters, flops: product(shape) });
    return [units];
  }

  upsample(x: number[]): number[] {
    const outputShape = [2 * x[0], 2 * x[1], x[2]];
    this.layers.push({ name: 'upsample', kind: 'shortcut', outputShape, parameters: 0, flops: 0 });
    return outputShape;
  }

  deconv(name: string, [height, width, channels]: number[], filters: number): number[] {
    const shape = [2, 2, channels, filters];
    const parameters =
      this.declare(`${name}.weight`, shape, 'weight', initialOf('he', channels, 4 * channels)) +
      this.declare(`${name}.bias`, [filters], 'bias', zero);
    const outputShape = [2 * height, 2 * width, filters];
    const flops = height * width * product(shape);
    this.layers.push({ name, kind: 'conv', outputShape, parameters, flops });
    return outputShape;
  }

  /** @returns the trainable numbers that are new: layers of one name share their variables */
  private declare(name: string, shape: number[], role: Role, initial: Initial): number {
    return this.declareVariable({ name, shape, role, initial });
  }

  private declareVariable(variable: Variable): number {
    const { name, shape, role, fixed } = variable;
    if (this.names.has(name)) return 0;
    this.names.add(name);
    this.variables.push(variable);
    return role === 'statistic' || fixed ? 0 : product(shape);
  }
}
