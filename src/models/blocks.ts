import type { Net, Start } from '../nn/net.js';

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
  y = net.conv(`${name}.conv2`, y, { filters, kernel: 3, start: branchStart(net, `${name}.norm2`) });
  const residual = shortcutOf(net, `${name}.shortcut`, x, { filters, stride, shortcut });
  return net.norm(`${name}.norm2`, y, { residual, relu: true, zeroGamma: true });
}

/** How the last convolution of a block's branch starts, given a norm of the block: 0 where no γ there does. */
export const branchStart = <T>(net: Net<T>, norm: string): Start => (net.startsBranchAtZero(norm) ? 0 : 'he');

/** The ratio of a bottleneck block's output channels to the filters of its two narrow convolutions. */
const expansion = 4;

/**
 * 1×1, 3×3 and 1×1 convolutions, the last with four times the filters; a projection where the shape changes. The stride
 * is in the 3×3 (fb.resnet.torch), or, as in He et al. 2016, in the first 1×1.
 */
export function bottleneckBlock<T>(
  net: Net<T>,
  name: string,
  x: T,
  { filters, stride, strideIn1x1 }: { filters: number; stride: number; strideIn1x1: boolean },
): T {
  const [first, second] = strideIn1x1 ? [stride, 1] : [1, stride];
  let y = net.conv(`${name}.conv1`, x, { filters, kernel: 1, stride: first });
  y = net.norm(`${name}.norm1`, y, { relu: true });
  y = net.conv(`${name}.conv2`, y, { filters, kernel: 3, stride: second });
  y = net.norm(`${name}.norm2`, y, { relu: true });
  const start = branchStart(net, `${name}.norm3`);
  y = net.conv(`${name}.conv3`, y, { filters: expansion * filters, kernel: 1, start });
  const shape = { filters: expansion * filters, stride, shortcut: 'projection' } as const;
  const residual = shortcutOf(net, `${name}.shortcut`, x, shape);
  return net.norm(`${name}.norm3`, y, { residual, relu: true, zeroGamma: true });
}

/**
 * Normalizer and ReLU before each convolution (He et al. 2016, "Identity Mappings in Deep Residual Networks", arXiv
 * 1603.05027, Figure 4e). A projection takes the activated input and is not normalized; the parameter-free shortcut
 * takes the input as it is.
 */
export function preactivationBlock<T>(
  net: Net<T>,
  name: string,
  x: T,
  { filters, stride, shortcut }: { filters: number; stride: number; shortcut: Shortcut },
): T {
  const activated = net.norm(`${name}.norm1`, x, { relu: true });
  let y = net.conv(`${name}.conv1`, activated, { filters, kernel: 3, stride });
  y = net.norm(`${name}.norm2`, y, { relu: true });
  y = net.conv(`${name}.conv2`, y, { filters, kernel: 3, start: branchStart(net, `${name}.norm2`) });
  if (stride === 1 && net.channels(x) === filters) return net.add(y, x);
  if (shortcut === 'identity') return net.add(y, net.subsample(x, stride, filters));
  return net.add(y, net.conv(`${name}.shortcut.conv`, activated, { filters, kernel: 1, stride }));
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
