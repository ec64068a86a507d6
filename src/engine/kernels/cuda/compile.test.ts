/** NVRTC, from the pinned wheel, compiles every kernel for every GPU from compute capability 7.0 on. It needs no GPU. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compiled, type KernelCompiler, kernelSources, load } from '../../cuda-kernels.js';
import { installLibrary } from '../../install/library.js';
import { defaultSource } from '../../install/platform.js';
import { engineFolder } from '../../install/store.js';
import { tensorflowVersion, wheels } from '../../install/wheels.js';

const library = 'nvidia/cuda_nvrtc/lib/libnvrtc.so.12';
const present = join(engineFolder(), `tensorflow-${tensorflowVersion}-cuda-linux-x64`, library);
const unavailable =
  process.env.GNBENCH_CUDA_WHEEL === undefined &&
  !existsSync(present) &&
  "needs NVRTC's wheel of 90 MB: GNBENCH_CUDA_WHEEL=1 fetches it for this test";
const skip = defaultSource() === 'wheel' ? unavailable : 'the wheel is for Linux with glibc on x64';

const formats = (...kernels: string[]) =>
  kernels.flatMap((kernel) => [`${kernel}_float`, `${kernel}_bfloat16`]);
/** The kernels that the operations launch, by their file; most of them for both storage formats. */
const launched: Record<string, string[]> = {
  'affine-relu': formats('affine_relu'),
  'global-average': formats('global_average', 'global_average_grad'),
  images: formats('images'),
  'max-pool': formats('max_pool', 'max_pool_grad'),
  'moving-average': ['moving_average'],
  normalize: formats('normalize_set', 'normalize_moments', 'normalize_apply'),
  'normalize-grad': formats('normalize_grad', 'normalize_grad_sums', 'normalize_grad_apply'),
  rectify: formats('rectify', 'rectify_grad'),
  sgd: ['sgd'],
  'softmax-loss': ['softmax_loss_image', 'softmax_loss_total'],
  subsample: formats('subsample', 'subsample_grad'),
};

describe('the kernels for a GPU', { skip }, () => {
  const cache = process.env.GNBENCH_CACHE;
  let folder: string;
  let nvrtc: string;
  let compiler: KernelCompiler;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gnbench-nvrtc-'));
    const source = fileURLToPath(new URL('../../../../src/engine/kernels/cuda/compiler.cc', import.meta.url));
    const headers = createRequire(import.meta.url).resolve('node-api-headers/package.json');
    const flags = [
      '-std=c++17',
      '-fPIC',
      '-shared',
      '-DNAPI_VERSION=8',
      `-I${join(dirname(headers), 'include')}`,
    ];
    execFileSync('g++', [...flags, source, '-o', join(folder, 'nvrtc.node'), '-ldl']);
    compiler = load<KernelCompiler>(join(folder, 'nvrtc.node'));
    const there = existsSync(present);
    process.env.GNBENCH_CACHE = folder;
    if (!there) {
      const wheel = wheels.cuda.filter(({ name }) => name === 'nvidia-cuda-nvrtc-cu12');
      await installLibrary(wheel, 'trial', { quiet: true, signal: new AbortController().signal });
    }
    nvrtc = there ? present : join(engineFolder(), 'trial', library);
  });
  after(() => {
    if (cache === undefined) delete process.env.GNBENCH_CACHE;
    else process.env.GNBENCH_CACHE = cache;
    rmSync(folder, { recursive: true });
  });

  it('are those that the operations launch', () => {
    const names = kernelSources().map(({ name }) => name);
    assert.deepEqual(names.sort(), Object.keys(launched).sort());
  });

  it('are compiled for every architecture from sm_70 on', async () => {
    const architectures = compiler.describe(nvrtc).architectures.filter((each) => each >= 70);
    assert.ok(architectures.includes(70) && architectures.includes(90) && architectures.includes(120));
    for (const architecture of architectures) {
      for (const source of kernelSources()) {
        const code = Buffer.from(await compiled(source, `sm_${architecture}`, nvrtc, compiler));
        assert.equal(code.toString('latin1', 0, 4), '\x7fELF');
        const missing = launched[source.name].filter((kernel) => !code.includes(`.text.${kernel}\0`));
        assert.deepEqual(missing, [], `${source.name}.cu for sm_${architecture}`);
      }
    }
  });

  it('are compiled for the driver to finish, where a GPU is newer than NVRTC', async () => {
    const [source] = kernelSources();
    const code = Buffer.from(await compiled(source, 'compute_90', nvrtc, compiler)).toString();
    assert.match(code, /\.target sm_90/);
    assert.match(code, new RegExp(`\\.entry ${launched[source.name][0]}`));
  });

  it("come with NVRTC's own words where one is wrong", async () => {
    const wrong = { name: 'wrong', text: '__global__ void wrong() { nothing(); }', headers: {} };
    await assert.rejects(
      compiled(wrong, 'sm_90', nvrtc, compiler),
      /wrong\.cu cannot be compiled for sm_90: .*identifier "nothing" is undefined/s,
    );
  });
});
