/** The family of normalizers in float64, straight from its definition: what the kernels are held against in tests. */

export interface NormalizationCase {
  images: number;
  /** Pixels of an image. */
  pixels: number;
  channels: number;
  imagesPerGroup: number;
  channelsPerGroup: number;
  epsilon: number;
  relu: boolean;
  x: ArrayLike<number>;
  residual?: ArrayLike<number>;
  gamma: ArrayLike<number>;
  beta: ArrayLike<number>;
}

export interface Forward {
  y: Float64Array;
  mean: Float64Array;
  rstd: Float64Array;
}

/** The group that element `index` of x belongs to. */
function groupOf(problem: NormalizationCase, index: number): number {
  const { pixels, channels, imagesPerGroup, channelsPerGroup } = problem;
  const set = Math.floor(index / (pixels * channels) / imagesPerGroup);
  return (set * channels) / channelsPerGroup + Math.floor((index % channels) / channelsPerGroup);
}

function groupMeans(
  problem: NormalizationCase,
  value: (index: number, group: number) => number,
): Float64Array {
  const { images, pixels, channels, imagesPerGroup, channelsPerGroup, x } = problem;
  const sums = new Float64Array((images / imagesPerGroup) * (channels / channelsPerGroup));
  for (let index = 0; index < x.length; index++) {
    const group = groupOf(problem, index);
    sums[group] += value(index, group);
  }
  return sums.map((sum) => sum / (imagesPerGroup * pixels * channelsPerGroup));
}

/** y = relu?(γ·(x − mean)·rstd + β + residual), biased variance. */
export function forward(problem: NormalizationCase): Forward {
  const { x, gamma, beta, residual, channels, relu, epsilon } = problem;
  const mean = groupMeans(problem, (index) => x[index]);
  const variance = groupMeans(problem, (index, group) => (x[index] - mean[group]) ** 2);
  const rstd = variance.map((value) => 1 / Math.sqrt(value + epsilon));
  const y = Float64Array.from(x, (value, index) => {
    const group = groupOf(problem, index);
    const channel = index % channels;
    const sum =
      gamma[channel] * (value - mean[group]) * rstd[group] + beta[channel] + (residual?.[index] ?? 0);
    return relu ? Math.max(0, sum) : sum;
  });
  return { y, mean, rstd };
}

/** The gradients of Σ dy·y; `y` decides where the ReLU passes. */
export function backward(problem: NormalizationCase, dy: ArrayLike<number>, y: ArrayLike<number>) {
  const { x, gamma, channels, relu } = problem;
  const { mean, rstd } = forward(problem);
  const masked = Float64Array.from(dy, (value, index) => (relu && !(y[index] > 0) ? 0 : value));
  const dgamma = new Float64Array(channels);
  const dbeta = new Float64Array(channels);
  const normalized = Float64Array.from(x, (value, index) => {
    const group = groupOf(problem, index);
    return (value - mean[group]) * rstd[group];
  });
  for (let index = 0; index < x.length; index++) {
    dgamma[index % channels] += masked[index] * normalized[index];
    dbeta[index % channels] += masked[index];
  }
  const first = groupMeans(problem, (index) => masked[index] * gamma[index % channels]);
  const second = groupMeans(problem, (index) => masked[index] * gamma[index % channels] * normalized[index]);
  const dx = masked.map((value, index) => {
    const group = groupOf(problem, index);
    return rstd[group] * (value * gamma[index % channels] - first[group] - normalized[index] * second[group]);
  });
  return { dx, dgamma, dbeta, dresidual: masked };
}
