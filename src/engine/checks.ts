/** Checks which needs of the engine are met here, for `gnbench doctor`. It changes nothing and downloads nothing. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { cacheFolder } from '../cache.js';
import type { UserError } from '../errors.js';
import { memoryLimit } from '../process/memory.js';
import { type Check, found, missing } from './install/check.js';
import { findCompiler, missingCompiler } from './install/compiler.js';
import { describeGpus } from './install/cuda/checks.js';
import { askDriver, surroundings } from './install/cuda/driver.js';
import { type Engine, findEngine } from './install/index.js';
import { findPip, missingPip } from './install/pip.js';
import { cpuFeatures, defaultSource, glibc, nvidiaDevices } from './install/platform.js';
import { neededRoom, wheels } from './install/wheels.js';
import { type Probe, probeEngine } from './probe.js';
import { planThreads } from './threads.js';

export async function engineChecks(options: { debug?: boolean } = {}): Promise<Check[]> {
  const result = await findEngine().catch((error: UserError) => error);
  const engine = result instanceof Error ? undefined : result;
  const tools = defaultSource() === 'wheel' ? [await pip(!engine), await compiler(engine)] : [];
  const cache = await cacheCheck(!engine);
  const able = [...tools, cache].every((check) => !check.blocks);
  return [
    nodeVersion(),
    system(),
    ...tools,
    cache,
    ...(engine
      ? await workingEngine(engine, options)
      : [missingEngine(result as UserError | undefined, able)]),
    processor(),
    bfloat16(),
    threads(),
  ];
}

function nodeVersion(): Check {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 11)) return found('node', process.versions.node);
  return missing(
    'node',
    `${process.versions.node}; 20.11 or newer is needed`,
    'npx -p node@22 gnbench doctor',
    true,
  );
}

function system(): Check {
  const library = glibc() ? `, glibc ${glibc()}` : '';
  const source = defaultSource() === 'wheel' ? "TensorFlow's wheel" : "the package's own installer";
  return found('system', `${process.platform} ${process.arch}${library}: the engine comes from ${source}`);
}

async function pip(needed: boolean): Promise<Check> {
  const pip = await findPip();
  if (!('missing' in pip)) return found('pip', `${pip.version} (${pip.python})`);
  const { message, fix } = missingPip(pip.missing);
  return missing('pip', needed ? message : `${message}; the engine is there already`, fix!, needed);
}

async function compiler(engine?: Engine): Promise<Check> {
  const compiler = await findCompiler();
  if (compiler) return found('compiler', `${compiler.command.join(' ')} ${compiler.version}`);
  const { message, fix } = missingCompiler();
  return missing('compiler', engine ? `${message}; the engine is there already` : message, fix!, !engine);
}

async function cacheCheck(needed: boolean): Promise<Check> {
  const folder = cacheFolder();
  const existing = await nearestFolder(folder);
  const writable = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  const isFolder = (await stat(existing)).isDirectory();
  const { bavail, bsize } = await statfs(existing);
  const room = bavail * bsize;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const detail = `${folder}, ${gigabytes(room)} free`;
  const fix = 'export GNBENCH_CACHE=/a/folder/with/room';
  if (!isFolder) return missing('cache', `${folder} cannot be made: ${existing} is a file`, fix, needed);
  if (!writable) return missing('cache', `${folder} cannot be written`, fix, needed);
  const wanted = neededRoom(wheels[nvidiaDevices().length > 0 ? 'cuda' : 'cpu']);
  if (needed && room < wanted)
    return missing('cache', `${detail}; ${gigabytes(wanted)} are needed`, fix, true);
  return found('cache', detail);
}

async function nearestFolder(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const there = await access(at).then(
      () => true,
      () => false,
    );
    if (there || at === dirname(at)) return at;
  }
}

function missingEngine(error: UserError | undefined, able: boolean): Check {
  if (error) return missing('engine', error.message, error.fix ?? 'npx gnbench setup --force', true);
  const detail = able
    ? 'not in the cache yet: the first run fetches it'
    : 'not in the cache, and cannot be fetched';
  return missing('engine', detail, 'npx gnbench setup', !able);
}

async function workingEngine(engine: Engine, options: { debug?: boolean }): Promise<Check[]> {
  const { variant, source, tensorflow, folder } = engine;
  const what = `TensorFlow ${tensorflow}, ${variant}, ${source}, in ${folder}`;
  const again = 'npx gnbench setup --force';
  const gpu = engine.cudaDriver ? await gpuChecks(engine.cudaDriver) : [];
  try {
    const threads = { intraOp: 1, interOp: 1 };
    const probe = await probeEngine({ variant, source, threads, debug: options.debug });
    return [found('engine', what), device(engine, probe.device), ...gpu, ...kernelTable(engine, probe)];
  } catch (error) {
    // The driver may say the reason.
    return [missing('engine', `${what}, does not work: ${(error as Error).message}`, again, true), ...gpu];
  }
}

function device({ variant }: Engine, used: 'CPU' | 'GPU'): Check {
  const devices = nvidiaDevices();
  if (used === 'GPU') return found('device', `GPU: ${devices.join(', ')}`);
  if (devices.length === 0) return found('device', 'CPU (no NVIDIA device here)');
  const there = devices.join(', ');
  if (variant === 'cpu') {
    return missing('device', `CPU, though there is ${there}`, 'npx gnbench setup --variant cuda', false);
  }
  const fix = 'npx gnbench doctor --debug shows what TensorFlow says';
  return missing('device', `CPU: TensorFlow cannot use ${there}; the next lines say why`, fix, false);
}

async function gpuChecks(addon: string): Promise<Check[]> {
  try {
    return describeGpus(await askDriver(addon), surroundings());
  } catch (error) {
    return [missing('driver', `it ends in an error: ${(error as Error).message}`, 'nvidia-smi', false)];
  }
}

/** The table of kernels: what is not in it is computed by TensorFlow's operations. */
function kernelTable(engine: Engine, { device, kernels, instructionSet }: Probe): Check[] {
  if (!engine.nativeOps) {
    const detail = `gnbench's own are missing (${engine.nativeOpsMissing}); TensorFlow's operations serve, slower`;
    return [missing('kernels', detail, 'npx gnbench setup', false)];
  }
  if (kernels.length === 0) {
    const none = `gnbench has none for a ${device}: TensorFlow's operations serve`;
    const xla =
      "XLA compiles TensorFlow's operations; engine.compiler: none takes gnbench's own in their place";
    return [found('kernels', engine.cudaOps && device === 'GPU' ? xla : none)];
  }
  const compiled = instructionSet === undefined ? '' : `, compiled for ${instructionSet}`;
  return [
    found(
      'kernels',
      `${kernels.length} of gnbench's own${compiled}; TensorFlow's operations serve beyond them`,
    ),
    ...kernels.map(({ name, limits }) => found(`  ${name}`, limits)),
  ];
}

function processor(): Check {
  const [model] = cpus();
  const [all, allowed] = [totalmem(), memoryLimit()].map((bytes) => (bytes / 2 ** 30).toFixed(0));
  const memory = allowed === all ? `${all} GiB memory` : `${allowed} of ${all} GiB memory`;
  const names = ['avx2', 'fma', 'avx512f', 'avx512bw', 'avx512_vnni', 'avx512_fp16', 'asimd', 'sve'];
  const features = cpuFeatures().filter((feature) => names.includes(feature));
  return found('processor', [model?.model.trim() ?? process.arch, ...features, memory].join(', '));
}

/** Which units for bfloat16 the processor has: without them `precision: bfloat16` is slower than float32. */
function bfloat16(): Check {
  // The processor's units that the kernels use.
  const units = cpuFeatures().filter((feature) => ['amx_bf16', 'avx512_bf16'].includes(feature));
  return found(
    'bfloat16',
    units.length > 0 ? units.join(', ') : 'no units: precision float32 is faster here',
  );
}

function threads(): Check {
  const describe = (batch: number) => {
    const { intraOp, interOp } = planThreads({ engine: {}, precision: 'float32' }, batch);
    return `batch ${batch}: ${intraOp} intra-op, ${interOp} inter-op`;
  };
  return found('threads', `${availableParallelism()} cores; ${describe(2)}; ${describe(128)}`);
}
