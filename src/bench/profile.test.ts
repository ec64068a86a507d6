import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import type { Node } from '../engine/graph/graph.js';
import { byKind, otherKind, type ProfileRow, profileRows } from './profile.js';

const dtype = 1;
const output = (node: string, shape: number[]) => ({ node, index: 0, dtype, shape });
const node = (name: string, op: string, inputs: Node['inputs'], shape: number[]): Node => ({
  name,
  op,
  inputs,
  after: [],
  attributes: { kernel: { kind: 'int', value: 3 }, N: { kind: 'int', value: 1 } },
  outputs: [{ dtype, shape }],
});

const x = output('x', [2, 4, 4, 16]);
const y = output('train/conv', [2, 4, 4, 32]);
const weight = output('train/read/stem.conv.weight', [3, 3, 16, 32]);
const nodes: Node[] = [
  node('train/read/stem.conv.weight', 'ReadVariableOp', [output('stem.conv.weight', [])], weight.shape),
  node('train/conv', 'GnbenchConv', [x, weight], y.shape),
  node('train/dx', 'GnbenchConvBackpropInput', [y, weight, output('none', [0])], x.shape),
  node('train/dw', 'GnbenchConvBackpropFilter', [x, y], weight.shape),
  node(
    'train/update/0',
    'GnbenchSgd',
    [
      output('stem.conv.weight', []),
      output('stem.conv.weight/velocity', []),
      output('train/dw', weight.shape),
    ],
    [],
  ),
];
const peaks = { gigaflops: 100, gigabytes: 10 };
const times = { 'train/conv': [4, 0.004], 'train/dw': [4, 0.008], 'train/update/0': [4, 0.002] } as Record<
  string,
  [number, number]
>;
const options = { steps: 4, stepMs: 5, peaks, bytesPerNumber: 4 };

describe('a profile', () => {
  it('names layers, counts operations and adds up to the step', () => {
    const rows = profileRows(nodes, times, options);
    assert.deepEqual(
      rows.map(({ kind, layer, milliseconds }) => [kind, layer, milliseconds]),
      [
        ['gradient of filter', 'stem.conv', 2],
        ['convolution', 'stem.conv', 1],
        ['update', '', 0.5],
        [otherKind, '', 1.5],
      ],
    );
    const flops = 2 * 2 * 4 * 4 * 9 * 16 * 32;
    assert.ok(Math.abs(rows[1].gigaflops! - flops / 0.001 / 1e9) < 1e-9);
    assert.ok(Math.abs(rows[0].gigaflops! - flops / 0.002 / 1e9) < 1e-9);
    assert.ok(Math.abs(rows[0].ofPeak! - rows[0].gigaflops! / 100) < 1e-12);
    assert.ok(Math.abs(rows[2].gigabytes! - (20 * 9 * 16 * 32) / 0.0005 / 1e9) < 1e-9);
    assert.ok(Math.abs(rows.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-12);
  });

  it('shows a layer that became slower', () => {
    const slower = profileRows(nodes, { ...times, 'train/conv': [4, 0.016] }, { ...options, stepMs: 8 });
    assert.deepEqual([slower[0].kind, slower[0].layer], ['convolution', 'stem.conv']);
    assert.equal(byKind(slower)[0].kind, 'convolution');
  });

  it('of a real step has every convolution three times, but for that of the images, and adds up to it', () => {
    const args = [
      'bin/gnbench.js',
      'bench',
      '--profile',
      '--json',
      '--quiet',
      '--batch',
      '4',
      '--normalizer',
      'gn',
    ];
    const both = [...args, '--steps', '5', '--precision', 'float32,bfloat16'];
    const measured: { profile: ProfileRow[] }[] = JSON.parse(
      execFileSync(process.execPath, both, { encoding: 'utf8' }),
    );
    assert.equal(measured.length, 2);
    for (const { profile: rows } of measured) {
      const convolutions = rows.filter(({ kind }) => kind === 'convolution').map(({ layer }) => layer);
      assert.equal(convolutions.length, 19);
      assert.ok(convolutions.includes('stage2.block0.conv1'));
      for (const kind of ['gradient of input', 'gradient of filter'])
        for (const layer of convolutions)
          assert.equal(
            rows.filter((other) => other.kind === kind && other.layer === layer).length,
            kind === 'gradient of input' && layer === 'stem.conv' ? 0 : 1,
            `${kind} of ${layer}`,
          );
      const timed = rows.filter(({ kind }) => kind !== otherKind).reduce((sum, { share }) => sum + share, 0);
      assert.ok(timed > 0.5 && timed < 1.05, `${timed} of the step was timed`);
      assert.ok(rows.some(({ kind }) => kind === 'update') && rows.some(({ kind }) => kind === 'normalizer'));
    }
  });

  it('is refused where XLA compiles the step: it would be of nothing', () => {
    const args = ['bin/gnbench.js', 'bench', '--profile', '--quiet', '--batch', '2', '--normalizer', 'none'];
    const flags = [...args, '--set', 'engine.compiler=xla', '--set', 'engine.variant=cpu'];
    const { status, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /--profile times operations on the CPU, without XLA/);
  });
});
