import type { Node } from './graph.js';
import { type Recorder, TraceError } from './recorder.js';

/**
 * Refuses a step in which something was frozen unnoticed: two recordings, with different inputs, must agree in every
 * node, its inputs, and every constant.
 */
export function assertReplayable(first: Recorder, second: Recorder): void {
  const fix = 'feed what changes from step to step, or keep it as state';
  for (const [index, node] of first.nodes.entries()) {
    const other = second.nodes[index];
    if (!other || other.op !== node.op || other.name !== node.name) {
      throw new TraceError(
        `the step is not the same twice: ${node.op} (${node.name}) is missing in one of them`,
        fix,
      );
    }
    if (JSON.stringify(wiringOf(node)) !== JSON.stringify(wiringOf(other))) {
      throw new TraceError(`${node.op} (${node.name}) has other inputs from one step to the next`, fix);
    }
    if (node.op !== 'Const' && JSON.stringify(node.attributes) !== JSON.stringify(other.attributes)) {
      throw new TraceError(
        `an attribute of ${node.op} (${node.name}) differs from one step to the next`,
        fix,
      );
    }
  }
  if (second.nodes.length > first.nodes.length) {
    const extra = second.nodes[first.nodes.length];
    throw new TraceError(
      `the step is not the same twice: ${extra.op} (${extra.name}) is new in the second`,
      fix,
    );
  }
  for (const [name, { content }] of first.constants) {
    if (Buffer.compare(content, second.constants.get(name)!.content) === 0) continue;
    const users = first.nodes
      .filter(({ inputs }) => inputs.some(({ node }) => node === name))
      .map(({ op }) => op);
    throw new TraceError(`a constant of ${users.join(', ') || name} differs from one step to the next`, fix);
  }
}

const wiringOf = ({ inputs, after }: Node) => [inputs.map(({ node, index }) => [node, index]), after];
