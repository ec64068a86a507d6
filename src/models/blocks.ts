import type { Net } from './net.js';

/** How a residual block's input reaches its output where the shape changes: He et al. 2016, §4.1, options A and B. */
export type Shortcut = 'identity' | 'projection';

/**
 * Two 3×3 convolutions, each normalized, and the block's input added before the last ReLU. γ of the last norm starts
 * at 0 (Goyal et al. 2017, §5.1; the paper, §4.1).
 */
export function basicBlock<T>(
  net: Net<T>,
  name: string,
  x: T,
  { filters, stride, shortcut }: { filters: number; stride: number; shortcut: Shortcut },
): T {
  let y = net.conv(`${name}.conv1`, x, { filters, kernel: 3, stride });
  y = net.norm(`${name}.norm1`, y, { relu: true });
  y = net.conv(`${name}.conv2`, y, { filters, kernel: 3 });
  const residual = shortcutOf(net, `${name}.shortcut`, x, { filters, stride, shortcut });
  return net.norm(`${name}.norm2`, y, { residual, relu: true, zeroGamma: true });
}

function shortcutOf<T>(
  net: Net<T>,
  name: string,
  x: T,
  { filters, stride, shortcut }: { filters: number; stride: number; shortcut: Shortcut },
): T {
  if (stride === 1 && net.channels(x) === filters) return x;
  if (shortcut === 'identity') return net.subsample(x, stride, filters);
  return net.norm(`${name}.norm`, net.conv(`${name}.conv`, x, { filters, kernel: 1, stride }));
}
