/** Weights, images and labels of the fixtures, from a formula of name and index: see formula.py. For tests. */
import type { VariableValue } from '../../engine/program.js';
import type { Variable } from '../../nn/variable.js';

function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Element `index` of the tensor with this name's hash, in [−1, 1). */
function uniform(hash: number, index: number): number {
  let z = (Math.imul(index, 0x9e3779b1) + hash) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  z = (z ^ (z >>> 16)) >>> 0;
  return z / 2 ** 31 - 1;
}

const product = (shape: number[]) => shape.reduce((all, size) => all * size, 1);

export function formulaValue(name: string, shape: number[]): VariableValue {
  const kind = name.slice(name.lastIndexOf('.') + 1);
  const fanIn = product(shape.slice(0, -1));
  const [offset, scale] = kind.startsWith('images')
    ? [0, 1.7]
    : kind === 'weight'
      ? [0, Math.sqrt(6 / fanIn)]
      : kind === 'gamma'
        ? [1, 0.2]
        : kind === 'variance'
          ? [1, 0.5]
          : [0, 0.1];
  return { shape, data: numbers(name, shape, offset, scale) };
}

function numbers(name: string, shape: number[], offset: number, scale: number): Float32Array {
  const hash = nameHash(name);
  const values = new Float32Array(product(shape)); // filled in a loop: ResNet-50 has 25 million
  for (let index = 0; index < values.length; index++) values[index] = offset + scale * uniform(hash, index);
  return values;
}

/** The variable that a model of torchvision or timm calls `name`, in PyTorch's layout. */
export function publishedValue(name: string, shape: number[]): VariableValue {
  const kind = name.slice(name.lastIndexOf('.') + 1);
  const [offset, scale] =
    kind === 'num_batches_tracked'
      ? [0, 0]
      : shape.length > 1
        ? [0, Math.sqrt(6 / product(shape.slice(1)))]
        : kind === 'weight'
          ? [1, 0.2]
          : kind === 'running_var'
            ? [1, 0.5]
            : [0, 0.1];
  return { shape, data: numbers(name, shape, offset, scale) };
}

export const formulaValues = (variables: Variable[]): Record<string, VariableValue> =>
  Object.fromEntries(variables.map(({ name, shape }) => [name, formulaValue(name, shape)]));

export const formulaLabels = (count: number, classes: number): Int32Array =>
  Int32Array.from({ length: count }, (_, index) => (7 * index + 3) % classes);
