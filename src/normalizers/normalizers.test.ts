import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import { keepUntilStepEnds, lossAndGradients, stepScope } from '../engine/gradients.js';
import { kernels } from '../engine/kernel-table.js';
import { tf } from '../engine/load.js';
import { convolution } from '../engine/ops/convolution.js';
import { affine, normalize } from '../engine/ops/normalize.js';
import { type LayerEnding, rectify } from '../engine/ops/rectify.js';
import { loadTestEngine } from '../engine/testing/test-engine.js';
import type { Application, StatisticsUpdate } from '../nn/normalizer.js';
import { createNormalizer, type NormalizerConfig } from './index.js';

interface FixtureTensor {
  shape: number[];
  data: number[];
}
interface Fixture {
  inputs: Record<string, FixtureTensor>;
  cases: {
    name: string;
    groups: number;
    workers: number;
    epsilon: number;
    expected: Record<string, FixtureTensor>;
  }[];
}

const folder = fileURLToPath(new URL('../../src/normalizers/fixtures/', import.meta.url));
const fixture = (name: string): Fixture => JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8'));
const tensor = ({ shape, data }: FixtureTensor): Tensor => tf.tensor(data, shape, 'float32');

/** ‖actual − expected‖∞ ≤ tolerance · ‖expected‖∞ */
function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, what);
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  // Negated, so that NaN fails.
  assert.ok(
    !(difference > tolerance * scale) && !Number.isNaN(difference),
    `${what}: ${difference} of ${scale}`,
  );
}

interface Applied {
  y: Float32Array;
  dx: Float32Array;
  dgamma: Float32Array;
  dbeta: Float32Array;
  statistics: (Omit<StatisticsUpdate, 'value'> & { value: Float32Array })[];
}

/**
 * How far a result may be off, relative to the largest value: 1e-5. Around 1000 ± 1 the fused backward pass starts
 * from a mean in float32, which there is good to 3e-5 of the spread: its gradients may be off by 1e-4.
 */
function tolerance(file: string, fused: boolean, key: string): number {
  return file.endsWith('large-mean') && fused && key !== 'y' ? 1e-4 : 1e-5;
}

/** The ending of an application's layer, and its operations: by the device's kernels, or by their definitions. */
function operations(ending: LayerEnding, fused: boolean) {
  const use = kernels(fused ? 'kernels' : 'definitions');
  return {
    ...ending,
    normalize: (...[x, of, other = ending]: Parameters<Application['normalize']>) =>
      normalize(x, of, other, use),
    affine: (x: Tensor, scale: Tensor, shift: Tensor) => affine(x, scale, shift, ending, use),
    finish: (y: Tensor) => rectify(y, ending, use),
  };
}

/** y of a normalizer, and the gradients of Σ dy·y. */
function apply(
  config: NormalizerConfig,
  inputs: Record<string, FixtureTensor>,
  mode: { training: boolean; workers: number; fused: boolean },
  options: {
    relu?: boolean;
    residual?: FixtureTensor;
    variables?: Record<string, Tensor1D>;
    scheduled?: Record<string, number>;
  } = {},
): Applied {
  return stepScope(() => {
    const [x, dy, gamma, beta] = ['x', 'dy', 'gamma', 'beta'].map((name) => tensor(inputs[name]));
    const variables: Record<string, Tensor> = { gamma, beta, ...options.variables };
    const statistics: StatisticsUpdate[] = [];
    let y: Tensor | undefined;
    const forward = () => {
      const ending = { relu: options.relu ?? false, residual: options.residual && tensor(options.residual) };
      const application: Application = {
        ...operations(ending, mode.fused),
        mode,
        variable: (key) => variables[key] as Tensor1D,
        moveStatistic: (variable, value, move) =>
          statistics.push({ variable, value: keepUntilStepEnds(value), ...move }),
        scheduled: (key) => tf.scalar(options.scheduled![key]),
      };
      y = keepUntilStepEnds(createNormalizer(config).apply(x, application));
      return y.mul(dy).sum();
    };
    const values = (of: Tensor) => of.dataSync() as Float32Array;
    const moved = () => statistics.map((each) => ({ ...each, value: values(each.value) }));
    if (!mode.training) {
      forward();
      const nothing = new Float32Array();
      return { y: values(y!), dx: nothing, dgamma: nothing, dbeta: nothing, statistics: moved() };
    }
    const [dx, dgamma, dbeta] = lossAndGradients(forward, [x, gamma, beta]).gradients.map(values);
    return { y: values(y!), dx, dgamma, dbeta, statistics: moved() };
  });
}

const forms = [
  { form: 'in plain operations', fused: false },
  { form: 'fused', fused: true },
];

before(() => loadTestEngine());

const configOf = (name: string, groups: number, epsilon: number): NormalizerConfig =>
  name === 'group'
    ? { name, groups, epsilon }
    : ({ name, epsilon, ...(name === 'batch' && { momentum: 0.9 }) } as NormalizerConfig);

describe('the normalizers agree with PyTorch, forward and backward', () => {
  it('has the fused form to test', () => assert.ok(kernels('kernels').normalize));

  for (const { form, fused } of forms) {
    for (const file of ['group', 'group-large-mean']) {
      const { inputs, cases } = fixture(file);
      for (const { name, groups, epsilon, expected } of cases) {
        it(`${file}: ${name}, ${form}`, () => {
          const config = configOf(name.split('-')[0], groups, epsilon);
          const actual = apply(config, inputs, { training: true, workers: 1, fused });
          for (const key of ['y', 'dx', 'dgamma', 'dbeta'] as const) {
            assertClose(actual[key], expected[key].data, tolerance(file, fused, key), `${name} ${key}`);
          }
        });
      }
    }
    for (const file of ['batch', 'batch-large-mean']) {
      const { inputs, cases } = fixture(file);
      for (const { name, workers, epsilon, expected } of cases.filter(({ name }) =>
        name.startsWith('train'),
      )) {
        it(`${file}: ${name}, ${form}`, () => {
          const actual = apply(configOf('batch', 0, epsilon), inputs, { training: true, workers, fused });
          for (const key of ['y', 'dx', 'dgamma', 'dbeta'] as const) {
            assertClose(actual[key], expected[key].data, tolerance(file, fused, key), `${name} ${key}`);
          }
        });
      }
    }
    const { inputs, cases } = fixture('batch');

    it(`batch: running statistics over two steps, and evaluation with them, ${form}`, () => {
      const { epsilon, expected } = cases.find(({ name }) => name === 'running')!;
      const config = configOf('batch', 0, epsilon);
      const channels = inputs.gamma.shape[0];
      const running = { mean: new Float32Array(channels), variance: new Float32Array(channels).fill(1) };
      for (const [step, x] of [inputs.x, inputs.x2].entries()) {
        const { statistics } = apply(config, { ...inputs, x }, { training: true, workers: 1, fused });
        for (const { variable, value, scale } of statistics) {
          const average = running[variable as keyof typeof running];
          average.forEach((old, channel) => {
            average[channel] = 0.9 * old + 0.1 * scale * value[channel];
          });
        }
        assertClose(running.mean, expected[`runningMean${step + 1}`].data, 1e-5, 'mean');
        assertClose(running.variance, expected[`runningVariance${step + 1}`].data, 1e-5, 'variance');
      }
      const variables = { mean: tf.tensor1d(running.mean), variance: tf.tensor1d(running.variance) };
      const later = { ...inputs, x: inputs.x2 };
      const { y } = apply(config, later, { training: false, workers: 1, fused }, { variables });
      assertClose(y, expected.yEval.data, 1e-5, 'evaluation');
    });
  }
});

describe('on clips, whose pixels lie in three dimensions, the normalizers agree with PyTorch', () => {
  const keys = ['y', 'dx', 'dgamma', 'dbeta'] as const;
  for (const { form, fused } of forms) {
    const { inputs, cases } = fixture('volume-group');
    for (const { name, groups, epsilon, expected } of cases) {
      it(`${name}, ${form}`, () => {
        const config = configOf(name.split('-')[0], groups, epsilon);
        const actual = apply(config, inputs, { training: true, workers: 1, fused });
        for (const key of keys) assertClose(actual[key], expected[key].data, 1e-5, key);
      });
    }
    const batch = fixture('volume-batch');
    for (const { name, workers, epsilon, expected } of batch.cases) {
      it(`batch: ${name}, ${form}`, () => {
        const mode = { training: true, workers, fused };
        const actual = apply(configOf('batch', 0, epsilon), batch.inputs, mode);
        for (const key of keys) assertClose(actual[key], expected[key].data, 1e-5, key);
      });
    }
    it(`Filter Response Normalization, ${form}`, () => {
      const { inputs, cases } = fixture('volume-filter-response');
      const { epsilon, expected } = cases[0];
      const variables = { tau: tf.tensor1d(inputs.tau.data, 'float32') };
      const mode = { training: true, workers: 1, fused };
      const actual = apply({ name: 'filter-response', epsilon }, inputs, mode, { relu: true, variables });
      for (const key of keys) assertClose(actual[key], expected[key].data, 1e-5, key);
    });
  }
});

describe('the algebra of the family', () => {
  const { inputs } = fixture('group');
  const training = { training: true, workers: 1 };
  const epsilon = 1e-5;

  for (const { form, fused } of forms) {
    it(`GN with one group is LN, with C groups IN, ${form}`, () => {
      const layer = apply({ name: 'layer', epsilon }, inputs, { ...training, fused });
      const one = apply({ name: 'group', groups: 1, epsilon }, inputs, { ...training, fused });
      const instance = apply({ name: 'instance', epsilon }, inputs, { ...training, fused });
      const all = apply({ name: 'group', channelsPerGroup: 1, epsilon }, inputs, { ...training, fused });
      for (const key of ['y', 'dx', 'dgamma', 'dbeta'] as const) {
        if (fused) assert.deepEqual([one[key], all[key]], [layer[key], instance[key]]);
        assertClose(one[key], layer[key], 2e-6, `LN ${key}`);
        assertClose(all[key], instance[key], 2e-6, `IN ${key}`);
      }
    });

    it(`an image's GN output does not depend on its batch mates, BN's does, ${form}`, () => {
      const perImage = inputs.x.data.length / inputs.x.shape[0];
      const data = inputs.x.data.map((value, index) => (index < perImage ? value : 3 - 2 * value));
      const others = { ...inputs, x: { ...inputs.x, data } };
      const first = (result: Applied) => result.y.subarray(0, perImage);
      const config = { name: 'group', groups: 4, epsilon } as const;
      const mode = { ...training, fused };
      assert.deepEqual(first(apply(config, others, mode)), first(apply(config, inputs, mode)));
      const batch = { name: 'batch', epsilon, momentum: 0.9 } as const;
      assert.notDeepEqual(first(apply(batch, others, mode)), first(apply(batch, inputs, mode)));
    });

    it(`BN of a single image is IN, ${form}`, () => {
      const perImage = inputs.x.data.length / inputs.x.shape[0];
      const cut = (from: FixtureTensor) => ({
        shape: [1, ...from.shape.slice(1)],
        data: from.data.slice(0, perImage),
      });
      const single = { ...inputs, x: cut(inputs.x), dy: cut(inputs.dy) };
      const batch = apply({ name: 'batch', epsilon, momentum: 0.9 }, single, { ...training, fused });
      const instance = apply({ name: 'instance', epsilon }, single, { ...training, fused });
      for (const key of ['y', 'dx', 'dgamma', 'dbeta'] as const)
        assertClose(batch[key], instance[key], 2e-6, key);
    });
  }

  it('the fused ReLU and residual are those of plain operations', () => {
    const residual = { ...inputs.x, data: inputs.dy.data.toReversed() };
    for (const config of [
      { name: 'group', groups: 4, epsilon } as const,
      { name: 'batch', epsilon, momentum: 0.9 } as const,
    ]) {
      const [plain, fused] = forms.map(({ fused: isFused }) =>
        apply(config, inputs, { ...training, fused: isFused }, { relu: true, residual }),
      );
      for (const key of ['y', 'dx', 'dgamma', 'dbeta'] as const) {
        assertClose(fused[key], plain[key], 1e-5, `${config.name} ${key}`);
      }
    }
  });

  it('statistics are those of the first worker', () => {
    const { inputs: batch } = fixture('batch');
    const config = { name: 'batch', epsilon, momentum: 0.9 } as const;
    const half = (from: FixtureTensor) => ({
      shape: [2, ...from.shape.slice(1)],
      data: from.data.slice(0, from.data.length / 2),
    });
    const alone = apply(
      config,
      { ...batch, x: half(batch.x), dy: half(batch.dy) },
      { ...training, fused: true },
    );
    const two = apply(config, batch, { training: true, workers: 2, fused: true });
    const channels = batch.gamma.shape[0];
    for (const [index, { value }] of alone.statistics.entries()) {
      assertClose(two.statistics[index].value.subarray(0, channels), value, 1e-6, 'statistic');
    }
  });
});

describe('the normalizers beyond the four agree with PyTorch, forward and backward', () => {
  const keys = ['y', 'dx', 'dgamma', 'dbeta'] as const;
  const vector = ({ data }: FixtureTensor) => tf.tensor1d(data, 'float32');

  for (const { form, fused } of forms) {
    it(`synchronized BN, ${form}`, () => {
      const { inputs, cases } = fixture('batch');
      const { epsilon, expected } = cases.find(({ name }) => name === 'train-1x4')!;
      const config = { name: 'sync-batch', epsilon, momentum: 0.9 } as const;
      const actual = apply(config, inputs, { training: true, workers: 2, fused });
      for (const key of keys) assertClose(actual[key], expected[key].data, 1e-5, key);
      assert.equal(actual.statistics[0].value.length, inputs.gamma.shape[0]);
    });

    it(`frozen BN, ${form}`, () => {
      const { inputs, cases } = fixture('frozen-batch');
      const { epsilon, expected } = cases[0];
      const variables = { mean: vector(inputs.mean), variance: vector(inputs.variance) };
      const config = { name: 'frozen-batch', epsilon, affine: 'trained' } as const;
      const actual = apply(config, inputs, { training: true, workers: 2, fused }, { variables });
      for (const key of keys) assertClose(actual[key], expected[key].data, 1e-5, key);
      assert.deepEqual(actual.statistics, []);
      const fixed = { ...config, affine: 'fixed' } as const;
      const one = apply(fixed, inputs, { training: true, workers: 2, fused }, { variables });
      for (const key of ['y', 'dx'] as const)
        assertClose(one[key], expected[key].data, 1e-5, `fixed: ${key}`);
      const { y } = apply(config, inputs, { training: false, workers: 1, fused }, { variables });
      assertClose(y, expected.y.data, 1e-5, 'evaluation');
    });

    const renorm = fixture('batch-renorm');
    for (const each of renorm.cases) {
      it(`Batch Renormalization, ${each.name}, ${form}`, () => {
        const { inputs } = renorm;
        const { expected } = each;
        const { rMax, dMax } = each as unknown as { rMax: number; dMax: number };
        const variables = { mean: vector(inputs.runningMean), sigma: vector(inputs.runningSigma) };
        const config = {
          name: 'batch-renorm',
          epsilon: 1e-5,
          momentum: 0.9,
          rMax,
          dMax,
          warmup: [0, 0],
        } satisfies NormalizerConfig;
        const training = each.name !== 'evaluation';
        const scheduled = { rMax, dMax };
        const actual = apply(config, inputs, { training, workers: 1, fused }, { variables, scheduled });
        if (!training) return assertClose(actual.y, expected.y.data, 1e-5, 'y');
        for (const key of keys) assertClose(actual[key], expected[key].data, 1e-5, key);
        const [mean, sigma] = actual.statistics;
        assert.deepEqual([mean.variable, sigma.variable], ['mean', 'sigma']);
        assertClose(mean.value, expected.batchMean.data, 1e-5, 'mean');
        assertClose(sigma.value, expected.batchSigma.data, 1e-5, 'sigma');
      });
    }

    it(`Batch Renormalization takes each worker's statistics, ${form}`, () => {
      const { inputs } = renorm;
      const half = (from: FixtureTensor, part: number) => ({
        shape: [from.shape[0] / 2, ...from.shape.slice(1)],
        data: from.data.slice((part * from.data.length) / 2, ((part + 1) * from.data.length) / 2),
      });
      const variables = () => ({ mean: vector(inputs.runningMean), sigma: vector(inputs.runningSigma) });
      const bounds = { rMax: 1.5, dMax: 0.5 };
      const config = {
        name: 'batch-renorm',
        epsilon: 1e-5,
        momentum: 0.9,
        ...bounds,
        warmup: [0, 0],
      } satisfies NormalizerConfig;
      const on = (of: typeof inputs, workers: number) =>
        apply(config, of, { training: true, workers, fused }, { variables: variables(), scheduled: bounds });
      const both = on(inputs, 2);
      const parts = [0, 1].map((part) =>
        on({ ...inputs, x: half(inputs.x, part), dy: half(inputs.dy, part) }, 1),
      );
      for (const key of ['y', 'dx'] as const) {
        assertClose(both[key], [...parts[0][key], ...parts[1][key]], 1e-6, key);
      }
    });

    it(`Filter Response Normalization and its unit, ${form}`, () => {
      const { inputs, cases } = fixture('filter-response');
      const { epsilon, expected } = cases[0];
      const config = { name: 'filter-response', epsilon } as const;
      const options = { relu: true, variables: { tau: vector(inputs.tau) } };
      const actual = apply(config, inputs, { training: true, workers: 1, fused }, options);
      for (const key of keys) assertClose(actual[key], expected[key].data, 1e-5, key);
    });
  }

  it("Filter Response Normalization's gradient of its threshold", () => {
    const { inputs, cases } = fixture('filter-response');
    const { epsilon, expected } = cases[0];
    const dtau = stepScope(() => {
      const { x, dy, gamma, beta, tau } = Object.fromEntries(
        Object.entries(inputs).map(([name, value]) => [name, tensor(value)]),
      );
      const normalizer = createNormalizer({ name: 'filter-response', epsilon });
      const { gradients } = lossAndGradients(() => {
        const variable = (key: string) => ({ gamma, beta, tau })[key] as Tensor1D;
        const mode = { training: true, workers: 1 };
        const moved = () => assert.fail('it has no statistics');
        const own = operations({ relu: true }, false);
        const application = { ...own, mode, variable, moveStatistic: moved, scheduled: moved };
        return normalizer.apply(x, application).mul(dy).sum();
      }, [tau]);
      return gradients[0].dataSync() as Float32Array;
    });
    assertClose(dtau, expected.dtau.data, 1e-5, 'dtau');
  });

  it('the threshold is there where a rectifier would be, and only there', () => {
    const normalizer = createNormalizer({ name: 'filter-response', epsilon: 1e-6 });
    const names = (relu: boolean) =>
      normalizer.variables('n', 3, { zeroGamma: false, relu }).map(({ name }) => name);
    assert.deepEqual(names(true), ['n.gamma', 'n.beta', 'n.tau']);
    assert.deepEqual(names(false), ['n.gamma', 'n.beta']);
  });

  it("Batch Renormalization's bounds rise between the shares of its warm-up", () => {
    const { schedules } = createNormalizer({
      name: 'batch-renorm',
      epsilon: 1e-5,
      momentum: 0.9,
      rMax: 3,
      dMax: 5,
      warmup: [0.2, 0.6],
    });
    const bounds = [0, 0.2, 0.3, 0.4, 0.6, 1].map((done) => [schedules!.rMax(done), schedules!.dMax(done)]);
    const expected = [1, 0, 1, 0, 1.5, 1.25, 2, 2.5, 3, 5, 3, 5];
    assertClose(bounds.flat(), expected, 1e-12, 'bounds');
  });
});

describe('what is done to the weights agrees with PyTorch', () => {
  /** The weight that is convolved with, the layer's output, and the gradients of Σ dy·y. */
  function convolve(file: string, config: NormalizerConfig) {
    const { inputs, cases } = fixture(file);
    return cases.map(({ expected }) =>
      stepScope(() => {
        const [x, v, dy] = ['x', 'weight', 'dy'].map((name) => tensor(inputs[name]));
        const gain = inputs.gain ? tensor(inputs.gain) : tf.ones([inputs.dy.shape.at(-1)!]);
        const normalizer = createNormalizer(config);
        let [used, y]: Tensor[] = [];
        const { gradients } = lossAndGradients(() => {
          used = keepUntilStepEnds(normalizer.weight!(v));
          const each = x.shape.slice(1, -1).map(() => 1);
          const options = { stride: each, padding: each, precision: 'float32' } as const;
          y = keepUntilStepEnds(convolution(x, used, options, {}).mul(gain));
          return y.mul(dy).sum();
        }, [x, v, gain]);
        const [dx, dweight, dgain] = gradients.map((each) => each.dataSync());
        return { used: used.dataSync(), y: y.dataSync(), dx, dweight, dgain, expected };
      }),
    );
  }

  for (const [where, prefix] of [
    ['in two dimensions', ''],
    ['in three dimensions', 'volume-'],
  ]) {
    it(`Weight Standardization ${where}`, () => {
      const config = { name: 'group', groups: 2, epsilon: 1e-5, weightStandardization: true } as const;
      const [{ used, y, dx, dweight, expected }] = convolve(`${prefix}weight-standardization`, config);
      assertClose(used, expected.standardized.data, 1e-5, 'weight');
      assertClose(y, expected.y.data, 1e-5, 'y');
      assertClose(dx, expected.dx.data, 1e-5, 'dx');
      assertClose(dweight, expected.dweight.data, 1e-5, 'dweight');
    });

    it(`weight normalization ${where}`, () => {
      const [{ y, dx, dweight, dgain, expected }] = convolve(`${prefix}weight-norm`, { name: 'weight-norm' });
      assertClose(y, expected.y.data, 1e-5, 'y');
      assertClose(dx, expected.dx.data, 1e-5, 'dx');
      assertClose(dweight, expected.dweight.data, 1e-5, 'dweight');
      assertClose(dgain, expected.dgain.data, 1e-5, 'dgain');
    });
  }
});
