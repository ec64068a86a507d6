/**
 * Rewrites a recorded float32 graph to compute activations in bfloat16: convolutions, normalizers (their statistics
 * stay float32), and what merely follows them (ReLU, addition, padding, pooling). Parameters, losses, gradients of
 * parameters and updates stay float32. Casts go in where the two meet, one for each tensor however often it is used.
 */
import { DataType } from '../data-type.js';
import type { Node, Output } from './graph.js';

/** Which inputs and outputs of an operation have its type attribute `T`; the others keep their types. */
interface Typed {
  inputs: number[];
  outputs: number[];
}

/** Always in bfloat16. */
const lowered: Record<string, Typed> = {
  Conv2D: { inputs: [0, 1], outputs: [0] },
  Conv2DBackpropInput: { inputs: [1, 2], outputs: [0] },
  Conv2DBackpropFilter: { inputs: [0, 2], outputs: [0] },
  Conv3D: { inputs: [0, 1], outputs: [0] },
  Conv3DBackpropInputV2: { inputs: [1, 2], outputs: [0] },
  Conv3DBackpropFilterV2: { inputs: [0, 2], outputs: [0] },
  GnbenchConv: { inputs: [0], outputs: [0] },
  GnbenchConvBackpropInput: { inputs: [0, 2], outputs: [0] },
  GnbenchConvBackpropFilter: { inputs: [0, 1], outputs: [] },
  GnbenchNormalize: { inputs: [0, 1], outputs: [0] },
  GnbenchNormalizeGrad: { inputs: [0, 1, 2], outputs: [0, 3] },
  GnbenchAffineRelu: { inputs: [0, 1], outputs: [0] },
  GnbenchImages: { inputs: [], outputs: [0] },
  GnbenchGlobalAverage: { inputs: [0], outputs: [] },
  GnbenchGlobalAverageGrad: { inputs: [], outputs: [0] },
};

/** In bfloat16 when what they are applied to is a feature map that already is. */
const following: Record<string, Typed> = {
  AddV2: { inputs: [0, 1], outputs: [0] },
  GnbenchRectify: { inputs: [0, 1], outputs: [0] },
  GnbenchRectifyGrad: { inputs: [0, 1], outputs: [0] },
  Relu: { inputs: [0], outputs: [0] },
  ReluGrad: { inputs: [0, 1], outputs: [0] },
  Pad: { inputs: [0], outputs: [0] },
  PadV2: { inputs: [0, 2], outputs: [0] },
  Reshape: { inputs: [0], outputs: [0] },
  Slice: { inputs: [0], outputs: [0] },
  StridedSlice: { inputs: [0], outputs: [0] },
  StridedSliceGrad: { inputs: [4], outputs: [0] },
  GnbenchSubsample: { inputs: [0], outputs: [0] },
  GnbenchSubsampleGrad: { inputs: [0], outputs: [0] },
  GnbenchMaxPool: { inputs: [0], outputs: [0] },
  GnbenchMaxPoolGrad: { inputs: [0], outputs: [0] },
  MaxPool: { inputs: [0], outputs: [0] },
  MaxPoolGrad: { inputs: [0, 1, 2], outputs: [0] },
};

/** `[N, …pixels, C]` has so many axes or more. */
const featureMapRank = 4;
/** Gradients of weights come in bfloat16, as that is what they are computed in; their sums are float32's. */
const ofWeights = /^Conv[23]DBackpropFilter/;

export function toBfloat16(nodes: Node[]): Node[] {
  const result: Node[] = [];
  const isLow = new Set<string>();
  const isLowMap = new Set<string>();
  const casts = new Map<string, Output>();
  const keyOf = ({ node, index }: Output) => `${node}:${index}`;

  const cast = (source: Output, dtype: number): Output => {
    const key = `${keyOf(source)}>${dtype}`;
    const known = casts.get(key);
    if (known) return known;
    const name = `${source.node}/cast_${source.index}_${dtype === DataType.bfloat16 ? 'down' : 'up'}`;
    const low = dtype === DataType.bfloat16;
    const from = low ? DataType.float : DataType.bfloat16;
    result.push({
      name,
      op: 'Cast',
      inputs: [source],
      after: [],
      attributes: {
        SrcT: { kind: 'type', value: from },
        DstT: { kind: 'type', value: dtype },
        Truncate: { kind: 'bool', value: false },
      },
      outputs: [{ dtype, shape: source.shape }],
    });
    const output = { node: name, index: 0, dtype, shape: source.shape };
    casts.set(key, output);
    return output;
  };

  for (const node of nodes) {
    const follows = following[node.op];
    const applies =
      follows &&
      node.outputs[0].shape.length >= featureMapRank &&
      follows.inputs.some((position) => isLowMap.has(keyOf(node.inputs[position])));
    const typed = lowered[node.op] ?? (applies ? follows : undefined);
    const inputs = node.inputs.map((input, position) => {
      const low = isLow.has(keyOf(input));
      if (typed?.inputs.includes(position)) return low ? input : cast(input, DataType.bfloat16);
      return low ? cast(input, DataType.float) : input;
    });
    if (!typed) {
      result.push({ ...node, inputs });
      continue;
    }
    const attributes = { ...node.attributes, T: { kind: 'type', value: DataType.bfloat16 } as const };
    result.push({ ...node, inputs, attributes });
    for (const index of typed.outputs) {
      const key = keyOf({ node: node.name, index, dtype: 0, shape: [] });
      isLow.add(key);
      if (!ofWeights.test(node.op)) isLowMap.add(key);
    }
  }
  return result;
}
