/**
 * The gradients of a residual block's two paths are added where they meet, which is one more pass over both. gnbench's
 * convolution can start its sums from the other path's gradient instead.
 */
import type { Node, Output } from './graph.js';

const keyOf = ({ node, index }: Output) => `${node}:${index}`;

/** Folds AddV2(GnbenchConvBackpropInput(…), other) into the convolution, where nobody else wants its result. */
export function fuseAdditions(nodes: Node[]): Node[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const uses = new Map<string, number>();
  for (const { inputs } of nodes) {
    for (const input of inputs) uses.set(keyOf(input), (uses.get(keyOf(input)) ?? 0) + 1);
  }
  const fused = new Map<string, Node>();
  const absorbed = new Set<string>();
  for (const node of nodes) {
    if (node.op !== 'AddV2') continue;
    const at = node.inputs.findIndex((input) => {
      const source = byName.get(input.node)!;
      const free = source.op === 'GnbenchConvBackpropInput' && !isTrue(source, 'has_addend');
      return free && uses.get(keyOf(input)) === 1 && !absorbed.has(source.name);
    });
    if (at < 0) continue;
    const [backprop, other] = [node.inputs[at], node.inputs[1 - at]];
    if (backprop.shape.join() !== other.shape.join()) continue;
    const convolution = byName.get(backprop.node)!;
    absorbed.add(convolution.name);
    // Under the addition's name, so that whoever uses it finds it.
    fused.set(node.name, {
      ...convolution,
      name: node.name,
      inputs: [convolution.inputs[0], convolution.inputs[1], other],
      attributes: { ...convolution.attributes, has_addend: { kind: 'bool', value: true } },
    });
  }
  return nodes.filter(({ name }) => !absorbed.has(name)).map((node) => fused.get(node.name) ?? node);
}

function isTrue({ attributes }: Node, name: string): boolean {
  const attribute = attributes[name];
  return attribute?.kind === 'bool' && attribute.value === true;
}
