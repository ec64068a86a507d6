/** The few statistics that the tables need. All quantities keep the unit of what goes in. */

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (n − 1); undefined for fewer than two values. */
export function sampleStd(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined;
  const center = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** An estimate with its 95 % interval, which fewer than two values do not give. */
export interface MeanWithInterval {
  mean: number;
  n: number;
  interval?: [low: number, high: number];
}

/** Mean of `values` with Student's t interval: mean ± t(0.975, n − 1) · s / √n. */
export function estimate(values: readonly number[]): MeanWithInterval | undefined {
  if (values.length === 0) return undefined;
  const center = mean(values);
  const std = sampleStd(values);
  if (std === undefined) return { mean: center, n: values.length };
  const half = (studentQuantile(0.975, values.length - 1) * std) / Math.sqrt(values.length);
  return { mean: center, n: values.length, interval: [center - half, center + half] };
}

/** Quantile of Student's t distribution for probability 0 < p < 1 and ν > 0 degrees of freedom. */
export function studentQuantile(p: number, degrees: number): number {
  if (p === 0.5) return 0;
  if (p < 0.5) return -studentQuantile(1 - p, degrees);
  let high = 1;
  while (studentCumulative(high, degrees) < p) high *= 2;
  let low = 0;
  // Bisection to the last bit: at most ~1100 halvings, in practice 60, and never a step too far.
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (studentCumulative(middle, degrees) < p) low = middle;
    else high = middle;
  }
}

/** P(T ≤ t) for Student's t with ν degrees of freedom: 1 − I_x(ν/2, 1/2) / 2 with x = ν / (ν + t²), t ≥ 0. */
export function studentCumulative(t: number, degrees: number): number {
  if (t < 0) return 1 - studentCumulative(-t, degrees);
  return 1 - incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
}

/** Regularised incomplete beta function I_x(a, b) by its continued fraction (Abramowitz & Stegun 26.5.8). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast only below this point; above it the symmetric form is used.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  const tiny = 1e-300;
  const away = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  // Lentz's method.
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      change = c * d;
      fraction *= change;
    }
    if (Math.abs(change - 1) < 1e-16) break;
  }
  return (front * fraction) / a;
}

/** ln Γ(z) for z > 0: Stirling's series after shifting z above 15, where its first terms reach double precision. */
function logGamma(z: number): number {
  let shift = 0;
  while (z < 15) shift += Math.log(z++);
  const w = 1 / (z * z);
  const series = 1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w * (1 / 1188))));
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series / z - shift;
}
