import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import { DataType } from '../data-type.js';
import type { Kernels } from '../kernel-table.js';
import { tf } from '../load.js';
import { bools, differentiable, execute, type } from '../operation.js';

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

/** The end of a layer: a residual to be added, and max(·, 0), as far as asked for. */
export interface LayerEnding {
  relu: boolean;
  residual?: Tensor;
}

/** max(y + residual, 0), as far as asked for. @param y `[N, …pixels, C]` */
export function rectify(y: Tensor, { relu: withRelu, residual }: LayerEnding, kernels: Kernels): Tensor {
  if (withRelu && kernels.rectify) return customRectify(y, residual);
  const sum = residual ? y.add(residual) : y;
  return withRelu ? relu(sum) : sum;
}

function customRectify(x: Tensor, residual?: Tensor): Tensor {
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
