/**
 * The ten classes of the synthetic data: each a distance field. `u` and `v` are coordinates in which the shape fills
 * about −1 … 1 (v downwards); the result is below 0 inside. Every shape is its own mirror image, so that flipping keeps
 * the class.
 */
type Shape = (u: number, v: number) => number;

const box = (u: number, v: number, halfWidth: number, halfHeight: number) =>
  Math.max(Math.abs(u) - halfWidth, Math.abs(v) - halfHeight);
const cross = (u: number, v: number) => Math.min(box(u, v, 0.26, 0.95), box(u, v, 0.95, 0.26));
/** The distance to the nearest of the stripes that repeat every `period`, half of it filled. */
const stripes = (at: number, period: number) => {
  const turn = at / period - Math.floor(at / period);
  return (Math.abs(turn - 0.5) - 0.25) * period;
};

export const shapes: readonly { name: string; field: Shape }[] = [
  { name: 'disc', field: (u, v) => Math.sqrt(u * u + v * v) - 0.95 },
  { name: 'ring', field: (u, v) => Math.abs(Math.sqrt(u * u + v * v) - 0.75) - 0.2 },
  { name: 'square', field: (u, v) => box(u, v, 0.82, 0.82) },
  { name: 'frame', field: (u, v) => Math.abs(box(u, v, 0.68, 0.68)) - 0.19 },
  { name: 'plus', field: cross },
  { name: 'diagonal cross', field: (u, v) => cross((u + v) * Math.SQRT1_2, (u - v) * Math.SQRT1_2) },
  { name: 'triangle', field: (u, v) => Math.max((2 * Math.abs(u) - v - 0.85) / 2.236, v - 0.8) },
  { name: 'horizontal stripes', field: (u, v) => Math.max(box(u, v, 0.9, 0.9), stripes(v, 0.6)) },
  { name: 'vertical stripes', field: (u, v) => Math.max(box(u, v, 0.9, 0.9), stripes(u + 0.15, 0.6)) },
  {
    name: 'chequers',
    field: (u, v) => {
      const across = stripes(u + 0.225, 0.9);
      const down = stripes(v + 0.225, 0.9);
      // Inside where exactly one of the two is.
      return Math.max(box(u, v, 0.9, 0.9), Math.min(Math.max(across, -down), Math.max(-across, down)));
    },
  },
];
