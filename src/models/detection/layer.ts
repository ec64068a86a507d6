import type { Convolution, Net } from '../../nn/net.js';

/**
 * A convolution and the normalizer behind it; a bias where there is none. Its normalizer is called as the convolution
 * with `Norm` behind: `conv0` and `conv0Norm`.
 */
export function normalizedConv<T>(
  net: Net<T>,
  name: string,
  x: T,
  { relu, ...options }: Convolution & { relu: boolean },
): T {
  const norm = `${name}Norm`;
  return net.norm(norm, net.conv(name, x, { ...options, bias: !net.isNormalized(norm) }), { relu });
}
