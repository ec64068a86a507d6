import type { Node } from './graph.js';

/**
 * Lets gnbench's own convolutions use Winograd's filtering (src/engine/kernels/loops/winograd-loops.h), which saves half of the
 * multiplications. They do where it can be used and pays: kernel 3, stride 1, and no bfloat16 unit at hand.
 */
export function allowWinograd(nodes: Node[]): Node[] {
  return nodes.map((node) =>
    node.op.startsWith('GnbenchConv')
      ? { ...node, attributes: { ...node.attributes, winograd: { kind: 'bool', value: true } } }
      : node,
  );
}
