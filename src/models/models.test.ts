import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { CompiledProgram } from '../engine/compiled.js';
import { EagerProgram } from '../engine/eager.js';
import { loadEngine } from '../engine/load.js';
import type { Program, VariableValue } from '../engine/program.js';
import { defineEvaluation, defineTraining, type Network, withVelocities } from '../training/steps.js';
import { describeModel } from './describe.js';
import { formulaLabels, formulaValue, formulaValues } from './fixtures/formula.js';
import { createModel } from './index.js';

/** L2 norm, then elements 0, n/3, 2n/3 and n − 1. */
type Summary = number[];

interface Case {
  name: string;
  normalizer: string;
  shortcut?: string;
  groups?: number;
  parameters: number;
  imagesName: string;
  loss: number;
  logits: number[];
  gradients: Record<string, Summary>;
  updated: Record<string, Summary>;
  evaluationLogits?: number[];
}

const fixtures = fileURLToPath(new URL('../../src/models/fixtures/', import.meta.url));
const read = (name: string) => JSON.parse(readFileSync(`${fixtures}${name}.json`, 'utf8'));

function norm(data: ArrayLike<number>): number {
  return Math.sqrt(Array.from(data).reduce((sum, value) => sum + value * value, 0));
}

/** Relative to the tensor's norm, entry by entry. */
function assertSummary(data: Float32Array, expected: Summary, tolerance: number, what: string): void {
  const count = data.length;
  const picked = [0, Math.floor(count / 3), Math.floor((2 * count) / 3), count - 1].map(
    (index) => data[index],
  );
  for (const [index, value] of [norm(data), ...picked].entries()) {
    const difference = Math.abs(value - expected[index]);
    assert.ok(
      difference <= tolerance * expected[0],
      `${what}[${index}]: ${value}, expected ${expected[index]}`,
    );
  }
}

function assertNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  const scale = Math.max(...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++) {
    assert.ok(
      Math.abs(actual[i] - expected[i]) <= tolerance * scale,
      `${what}[${i}]: ${actual[i]}, ${expected[i]}`,
    );
  }
}

function configOf({ normalizer, groups, shortcut }: Case, model: string): Config {
  const text = [
    `model: { name: ${model}${shortcut ? `, shortcut: ${shortcut}` : ''} }`,
    `normalizer: { name: ${normalizer}${groups ? `, groups: ${groups}` : ''} }`,
    'data: { name: cifar10 }',
    'batch: { size: 4 }',
  ].join('\n');
  return parseConfig(text, { file: 'test.yaml' });
}

before(() => loadEngine({ variant: 'cpu', threads: { intraOp: 1, interOp: 1 }, quiet: true }));

const forms: { form: string; make: (initial: Record<string, VariableValue>) => Program; fused: boolean }[] = [
  { form: 'eager, in plain operations', make: (initial) => new EagerProgram(initial), fused: false },
  { form: 'compiled, fused', make: (initial) => new CompiledProgram(initial), fused: true },
];

describe('models agree with PyTorch', () => {
  for (const { model, images: shape, classes, cases } of [read('resnet20')]) {
    for (const fixture of cases as Case[]) {
      for (const { form, make, fused } of forms) {
        it(`${model} ${fixture.name}, ${form}`, () => {
          const config = configOf(fixture, model);
          const created = createModel(config.model, classes);
          const { variables, parameters } = describeModel(created, config.normalizer, {
            shape: shape.slice(1),
          });
          assert.equal(parameters, fixture.parameters);
          const network: Network = { config, model: created, variables, shape: shape.slice(1), fused };
          const weights = withVelocities(variables, formulaValues(variables));
          const program = make(weights);
          defineTraining(program, network);
          defineEvaluation(program, network, shape[0]);

          const images = formulaValue(fixture.imagesName, shape).data;
          const labels = formulaLabels(shape[0], classes);
          const evaluated = program.run(`evaluate/${shape[0]}`, { images, labels });
          const expectedLogits = fixture.evaluationLogits ?? fixture.logits;
          assertNear(evaluated.logits, expectedLogits, 2e-5, 'logits in evaluation');
          const { loss } = program.run('train', { images, labels, rate: Float32Array.of(0.1) });
          assert.ok(
            Math.abs(loss[0] - fixture.loss) <= 1e-5 * fixture.loss,
            `loss ${loss[0]}, ${fixture.loss}`,
          );

          const after = program.read();
          for (const [name, expected] of Object.entries(fixture.updated)) {
            assertSummary(after[name].data, expected, 2e-5, `${name} after a step`);
          }
          for (const [name, expected] of Object.entries(fixture.gradients)) {
            const before = weights[name].data;
            const gradient = after[`${name}.velocity`].data.map(
              (velocity, index) => velocity - 1e-4 * before[index],
            );
            assertSummary(gradient, expected, 1e-4, `gradient of ${name}`);
          }
          program.dispose();
        });
      }
    }
  }
});
