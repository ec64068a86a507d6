/**
 * A step's time by kinds of work and by layers: gnbench's own operations are timed one by one, and whatever is left of the
 * step is TensorFlow's operations and waiting.
 */
import type { Node } from '../engine/graph/graph.js';

export interface ProfileRow {
  kind: string;
  /** The layer's name; empty for what belongs to none. */
  layer: string;
  milliseconds: number;
  /** The share of the step. */
  share: number;
  /** 10⁹ floating-point operations a second, of convolutions: a product and its addition are two, those with the padding's zeros included. */
  gigaflops?: number;
  /** 10⁹ bytes a second that others read and write at the least. */
  gigabytes?: number;
  /** The share of what this machine reaches in a product that stays in the caches, or in a copy. */
  ofPeak?: number;
}

/** The machine's own limits, as `measurePeaks` finds them. */
export interface Peaks {
  gigaflops: number;
  gigabytes: number;
}

const kinds: Record<string, string> = {
  GnbenchConv: 'convolution',
  GnbenchConvBackpropInput: 'gradient of input',
  GnbenchConvBackpropFilter: 'gradient of filter',
  GnbenchNormalize: 'normalizer',
  GnbenchAffineRelu: 'normalizer',
  GnbenchNormalizeGrad: 'gradient of normalizer',
  GnbenchSgd: 'update',
  GnbenchMovingAverage: 'update',
  GnbenchRectify: 'addition and ReLU',
  GnbenchRectifyGrad: 'addition and ReLU',
  GnbenchGlobalAverage: 'pooling',
  GnbenchGlobalAverageGrad: 'pooling',
  GnbenchMaxPool: 'pooling',
  GnbenchMaxPoolGrad: 'pooling',
  GnbenchSubsample: 'pooling',
  GnbenchSubsampleGrad: 'pooling',
  GnbenchSoftmaxLoss: 'loss',
  GnbenchImages: 'images',
};

/** The kind of whatever was not timed by itself. */
export const otherKind = "TensorFlow's operations and waiting";

const product = (shape: readonly number[]) => shape.reduce((all, size) => all * size, 1);

/** The layer that a node belongs to, by the variable that it reads or whose gradient it computes. */
function layersOf(nodes: Node[]): Map<string, string> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const layers = new Map<string, string>();
  const layerOf = (variable: string) =>
    variable
      .slice(variable.indexOf('/read/') + 1)
      .replace(/^read\//, '')
      .replace(/\.[^.]*$/, '');
  for (const node of nodes) {
    const read = node.inputs.find(({ node: source }) => byName.get(source)?.op === 'ReadVariableOp');
    if (read) layers.set(node.name, layerOf(read.node));
  }
  for (const { op, inputs, attributes } of nodes) {
    if (op !== 'GnbenchSgd') continue;
    const count = attributes.N.value as number;
    // Variables, their velocities, their gradients.
    for (let i = 0; i < count; i++) {
      const gradient = inputs[2 * count + i].node;
      const variable = inputs[i].node.replace(/^.*\//, '');
      if (!layers.has(gradient)) layers.set(gradient, layerOf(variable));
    }
  }
  return layers;
}

/** Multiplications and additions of a convolution's node; undefined for others. */
function operationsOf({ op, inputs, outputs, attributes }: Node): number | undefined {
  switch (op) {
    case 'GnbenchConv':
      return (2 * product(outputs[0].shape) * product(inputs[1].shape)) / outputs[0].shape[3];
    case 'GnbenchConvBackpropInput':
      return (2 * product(inputs[0].shape) * product(inputs[1].shape)) / inputs[0].shape[3];
    case 'GnbenchConvBackpropFilter':
      return 2 * product(inputs[1].shape) * (attributes.kernel.value as number) ** 2 * inputs[0].shape[3];
    default:
      return undefined;
  }
}

/** Bytes that a node reads and writes at the least; feature maps have `width` of them for a number. */
function bytesOf({ op, inputs, outputs, attributes }: Node, width: number): number {
  if (op === 'GnbenchSgd') {
    const count = attributes.N.value as number;
    // Weights and velocities are read and written, gradients read.
    return 5 * 4 * inputs.slice(2 * count, 3 * count).reduce((sum, { shape }) => sum + product(shape), 0);
  }
  const sizeOf = ({ shape }: { shape: number[] }) => product(shape) * (shape.length === 4 ? width : 4);
  return [...inputs, ...outputs].reduce((sum, each) => sum + sizeOf(each), 0);
}

/**
 * @param times runs and seconds of nodes, over `steps` steps
 * @param stepMs the mean step's milliseconds while they were taken
 * @returns the longest first, and what was not timed
 */
export function profileRows(
  nodes: Node[],
  times: Record<string, [runs: number, seconds: number]>,
  {
    steps,
    stepMs,
    peaks,
    bytesPerNumber,
  }: { steps: number; stepMs: number; peaks: Peaks; bytesPerNumber: number },
): ProfileRow[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const layers = layersOf(nodes);
  const rows: ProfileRow[] = [];
  for (const [name, [runs, seconds]] of Object.entries(times)) {
    const node = byName.get(name);
    if (!node || runs === 0) continue;
    const operations = operationsOf(node);
    const rate = ((operations ?? bytesOf(node, bytesPerNumber)) * runs) / seconds / 1e9;
    const milliseconds = (1000 * seconds) / steps;
    rows.push({
      kind: kinds[node.op] ?? node.op,
      layer: layers.get(name) ?? '',
      milliseconds,
      share: milliseconds / stepMs,
      ...(operations === undefined ? { gigabytes: rate } : { gigaflops: rate }),
      ofPeak: rate / (operations === undefined ? peaks.gigabytes : peaks.gigaflops),
    });
  }
  rows.sort((a, b) => b.milliseconds - a.milliseconds);
  const timed = rows.reduce((sum, row) => sum + row.milliseconds, 0);
  return [...rows, { kind: otherKind, layer: '', milliseconds: stepMs - timed, share: 1 - timed / stepMs }];
}

/** Kinds of work with all of their layers together, the longest first. */
export function byKind(rows: ProfileRow[]): ProfileRow[] {
  const groups = new Map<string, ProfileRow[]>();
  for (const row of rows) groups.set(row.kind, [...(groups.get(row.kind) ?? []), row]);
  const total = (of: ProfileRow[], pick: (row: ProfileRow) => number) =>
    of.reduce((sum, row) => sum + pick(row), 0);
  return [...groups]
    .map(([kind, of]) => {
      const milliseconds = total(of, (row) => row.milliseconds);
      const mean = (pick: (row: ProfileRow) => number | undefined) =>
        of.some((row) => pick(row) === undefined)
          ? undefined
          : total(of, (row) => pick(row)! * row.milliseconds) / milliseconds;
      return {
        kind,
        layer: '',
        milliseconds,
        share: total(of, (row) => row.share),
        gigaflops: mean((row) => row.gigaflops),
        gigabytes: mean((row) => row.gigabytes),
        ofPeak: mean((row) => row.ofPeak),
      };
    })
    .sort((a, b) => b.milliseconds - a.milliseconds);
}
