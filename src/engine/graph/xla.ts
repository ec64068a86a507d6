/**
 * Hands a recorded step to XLA, TensorFlow's compiler, as one computation: of many hundred operations it makes far fewer
 * kernels. The marks are those of TensorFlow's `xla.compile`: nodes that share a `_xla_compile_id` are compiled together,
 * and what leaves them goes through an `XlaClusterOutput` (TensorFlow's EncapsulateXlaComputationsPass makes an
 * `XlaLaunch` of them when the session starts).
 */
import type { Node } from './graph.js';

/** The operations that stay outside of the computation: what is fed, and the variables themselves. */
const outside = new Set(['Placeholder', 'VarHandleOp']);

/** @param step its name; what it returns is fetched from the identities `STEP/fetch/…`, which stay outside too */
export function compileWithXla(nodes: Node[], step: string): Node[] {
  const id = { kind: 'string', value: step.replaceAll('/', '_') } as const;
  const inside = (node: Node): Node => ({
    ...node,
    attributes: { ...node.attributes, _xla_compile_id: id },
  });
  return nodes.flatMap((node) => {
    if (outside.has(node.op)) return [node];
    if (!node.name.startsWith(`${step}/fetch/`)) return [inside(node)];
    const { dtype, shape } = node.inputs[0];
    const result = { dtype, shape };
    const last = inside({ ...node, name: `${node.name}/computed`, after: [] });
    const exit: Node = {
      name: `${node.name}/exit`,
      op: 'XlaClusterOutput',
      inputs: [{ node: last.name, index: 0, ...result }],
      after: [],
      attributes: { T: { kind: 'type', value: dtype } },
      outputs: [result],
    };
    return [last, exit, { ...node, inputs: [{ node: exit.name, index: 0, ...result }] }];
  });
}
