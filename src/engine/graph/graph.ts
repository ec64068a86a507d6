/**
 * A TensorFlow graph as plain data, and its wire form: a SavedModel with one MetaGraphDef tagged `serve`.
 * Field numbers are those of tensorflow/core/{framework,protobuf}/*.proto.
 */

import { type Bytes, bytes, concat, float, integer, message } from '../../storage/protobuf.js';
import { DataType } from '../data-type.js';

export type Attribute =
  | { kind: 'type'; value: number }
  | { kind: 'int' | 'float'; value: number | number[] }
  | { kind: 'bool'; value: boolean | boolean[] }
  | { kind: 'string'; value: string }
  | { kind: 'shape'; value: number[] }
  | { kind: 'tensor'; value: { dtype: number; shape: number[]; content: Bytes } };

/** One output of a node: the node's name and the output's number. */
export interface Output {
  node: string;
  index: number;
  dtype: number;
  shape: number[];
}

export interface Node {
  name: string;
  op: string;
  inputs: Output[];
  /** Nodes that must have run before. */
  after: string[];
  attributes: Record<string, Attribute>;
  outputs: { dtype: number; shape: number[] }[];
}

export const tensorType = (shape: number[]) => ({ dtype: DataType.float, shape });
export const dtypeAttribute = (value: number) => ({ kind: 'type', value }) as const;

const shapeProto = (shape: number[]): Bytes[] => shape.map((size) => message(2, [integer(1, size)]));

function attributeValue(attribute: Attribute): Bytes[] {
  const list = (field: number, values: unknown[], encode: (field: number, value: never) => Bytes) => [
    message(
      1,
      values.map((value) => encode(field, value as never)),
    ),
  ];
  const { kind, value } = attribute;
  switch (kind) {
    case 'type':
      return [integer(6, value)];
    case 'int':
      return Array.isArray(value) ? list(3, value, integer) : [integer(3, value)];
    case 'float':
      return Array.isArray(value) ? list(4, value, float) : [float(4, value)];
    case 'bool':
      return Array.isArray(value) ? list(5, value, integer) : [integer(5, value)];
    case 'string':
      return [bytes(2, value)];
    case 'shape':
      return [message(7, shapeProto(value))];
    case 'tensor':
      return [
        message(8, [integer(1, value.dtype), message(2, shapeProto(value.shape)), bytes(4, value.content)]),
      ];
  }
}

function nodeDef(node: Node): Bytes {
  const inputs = node.inputs.map(({ node: name, index }) =>
    bytes(3, index === 0 ? name : `${name}:${index}`),
  );
  const after = node.after.map((name) => bytes(3, `^${name}`));
  const attributes = Object.entries(node.attributes).map(([name, attribute]) =>
    message(5, [bytes(1, name), message(2, attributeValue(attribute))]),
  );
  return concat([bytes(1, node.name), bytes(2, node.op), ...inputs, ...after, ...attributes]);
}

/** The bytes of `saved_model.pb`. */
export function savedModel(nodes: Node[]): Bytes {
  const producer = 1087; // the GraphDef version whose defaults the nodes are written for (TensorFlow 2.9 and newer)
  const graphDef = [...nodes.map((node) => bytes(1, nodeDef(node))), message(4, [integer(1, producer)])];
  const metaInfo = message(1, [bytes(4, 'serve')]);
  return concat([integer(1, 1), message(2, [metaInfo, message(2, graphDef)])]);
}
