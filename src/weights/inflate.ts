/** Weights of a network over images, as those of the same network over clips (Carreira & Zisserman 2017, arXiv 1705.07750). */
import type { VariableValue } from '../engine/program.js';

/**
 * Repeats a kernel over time and divides it by its length: a clip that shows one image all the time is answered as the
 * image is, wherever no kernel reaches beyond the clip's ends.
 *
 * @param variables the names and shapes of the network over clips
 * @returns `found`, with each tensor inflated that lacks only the axis of time
 */
export function inflate(
  found: Record<string, VariableValue>,
  variables: readonly { name: string; shape: number[] }[],
): Record<string, VariableValue> {
  const inflated = { ...found };
  for (const { name, shape } of variables) {
    const value = Object.hasOwn(found, name) ? found[name] : undefined;
    if (value && shape.length === value.shape.length + 1 && shape.slice(1).join() === value.shape.join()) {
      inflated[name] = { shape, data: repeat(value.data, shape[0]) };
    }
  }
  return inflated;
}

function repeat(kernel: Float32Array, times: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(times * kernel.length);
  for (let time = 0; time < times; time++) {
    kernel.forEach((weight, at) => {
      data[time * kernel.length + at] = weight / times;
    });
  }
  return data;
}
