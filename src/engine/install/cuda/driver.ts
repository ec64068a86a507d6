/** Asks the NVIDIA driver what it has, and finds out why TensorFlow can use none of it. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { presentDevices, showsDevices } from '../platform.js';

export interface CudaDriver {
  /** Why the driver's library cannot be opened. */
  error?: string;
  /** The newest CUDA that the driver serves: 12040 is 12.4. */
  cuda?: number;
  /** The driver's own version, '580.159.04'. */
  driver?: string;
  /** How `cuInit` ended: 0 is well; and the name of what else it was. */
  status?: number;
  statusName?: string;
  /** The GPUs that a program can compute on. */
  devices?: Gpu[];
  /** The GPUs that there are, divided into instances (MIG) or not; memory in bytes. */
  boards?: { memory: number; used: number; divided: number }[];
  /** The paths of CUDA's libraries, or why they cannot be opened, by name. */
  libraries: Record<string, { path?: string; error?: string }>;
}

export interface Gpu {
  name: string;
  /** Compute capability. */
  major: number;
  minor: number;
  /** Bytes. */
  memory: number;
}

/** The facts about the machine that decide beside the driver. */
export interface Surroundings {
  /** Nodes in /dev, or `dxg` under WSL. */
  devices: string[];
  /** Nodes that this user may not open. */
  closed: string[];
  /** CUDA_VISIBLE_DEVICES. */
  visible?: string;
  container: boolean;
}

export interface Mend {
  message: string;
  fix: string;
}

/** The least that TensorFlow's wheel and its CUDA 12 run with. */
const leastCuda = 12_000;
const leastCapability = 7;
/**
 * TensorFlow 2.21 has machine code for compute capability 6 to 8.9. For newer GPUs most of its kernels come as PTX of CUDA
 * 12.5, which the driver compiles when they are first used.
 */
const ptx = { capability: 9, cuda: 12_050 };
const version = (cuda: number) => `${Math.floor(cuda / 1000)}.${Math.floor((cuda % 1000) / 10)}`;

/** @param addon the path of `cuda_driver.node` @throws Error when the driver crashes, or takes longer than a minute */
export async function askDriver(addon: string): Promise<CudaDriver> {
  const script = fileURLToPath(new URL('./driver-child.js', import.meta.url));
  const asked = promisify(execFile)(process.execPath, [script, addon], { timeout: 60_000 });
  const { stdout } = await asked.catch((error: Error & { killed?: boolean }) => {
    throw error.killed ? new Error('it did not answer within a minute', { cause: error }) : error;
  });
  return JSON.parse(stdout) as CudaDriver;
}

export function surroundings(): Surroundings {
  const devices = presentDevices();
  const nodes = devices
    .filter((name) => name !== 'dxg')
    .concat(devices.length > 0 ? ['nvidiactl', 'nvidia-uvm'] : []);
  return {
    devices,
    closed: nodes.map((name) => `/dev/${name}`).filter((path) => existsSync(path) && !isOpen(path)),
    visible: process.env.CUDA_VISIBLE_DEVICES,
    container: existsSync('/.dockerenv') || existsSync('/run/.containerenv') || existsSync('/.singularity.d'),
  };
}

function isOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why a GPU that is used cannot run all of TensorFlow's kernels; undefined where it can. */
export function whyNotAllKernels({ cuda, driver, devices = [] }: CudaDriver): Mend | undefined {
  const gpu = devices.find(({ major }) => major >= ptx.capability);
  if (!gpu || cuda === undefined || cuda < leastCuda || cuda >= ptx.cuda) return undefined;
  return {
    message:
      `the driver${driver ? ` ${driver}` : ''} serves CUDA ${version(cuda)}, and for compute capability ` +
      `${gpu.major}.${gpu.minor} most of TensorFlow's kernels need ${version(ptx.cuda)}`,
    fix: 'install NVIDIA driver 555.42.02 or newer (nvidia-smi shows the present one)',
  };
}

/** Why no GPU can be used, with what mends it; undefined when nothing stands in the way. */
export function whyNoGpu(
  driver: CudaDriver,
  { devices, closed, visible, container }: Surroundings,
): Mend | undefined {
  if (devices.length === 0) {
    return container
      ? {
          message: 'no NVIDIA device is visible in this container',
          fix: 'docker run --gpus all … (Apptainer: exec --nv …)',
        }
      : { message: 'there is no NVIDIA device', fix: 'npx gnbench run … --set engine.variant=cpu' };
  }
  // One of several GPUs may be another user's.
  const allClosed = devices.every((name) => closed.includes(`/dev/${name}`));
  if (allClosed || closed.some((path) => !devices.includes(path.slice('/dev/'.length)))) {
    return {
      message: `this user may not open ${closed.join(', ')}`,
      fix: `ls -l ${closed[0]} # join the group that it belongs to, or ask for: sudo chmod a+rw ${closed.join(' ')}`,
    };
  }
  if (!showsDevices(visible)) {
    return { message: `CUDA_VISIBLE_DEVICES=${visible} hides all GPUs`, fix: 'unset CUDA_VISIBLE_DEVICES' };
  }
  if (driver.error !== undefined) return withoutLibrary(driver.error, devices, container);
  if ((driver.cuda ?? leastCuda) < leastCuda) {
    return {
      message: `the driver${driver.driver ? ` ${driver.driver}` : ''} serves CUDA ${version(driver.cuda!)}, and 12.0 is needed`,
      fix: 'install NVIDIA driver 525.60.13 or newer (nvidia-smi shows the present one)',
    };
  }
  if (driver.status !== 0) return withStatus(driver);
  if (driver.devices?.length === 0) return dividedOrHidden(driver, visible);
  const old = driver.devices?.every(({ major }) => major < leastCapability);
  if (old) {
    const [{ name, major, minor }] = driver.devices!;
    return {
      message: `${name} has compute capability ${major}.${minor}, and cuDNN 9 needs 7.0`,
      fix: 'npx gnbench run … --set engine.variant=cpu',
    };
  }
  return withoutLibraries(driver);
}

function withoutLibrary(error: string, devices: string[], container: boolean): Mend {
  if (devices.includes('dxg')) {
    return {
      message: `the driver's library that Windows lends is not found (${error})`,
      fix: 'export LD_LIBRARY_PATH=/usr/lib/wsl/lib',
    };
  }
  return {
    message: `the driver's library cannot be opened (${error})`,
    fix: container
      ? 'docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,utility …'
      : 'install the NVIDIA driver with its libraries for computing (Debian: libcuda1, Ubuntu: libnvidia-compute-…)',
  };
}

/** By the number that `cuInit` gives; the others speak for themselves. */
const stati: Record<number, Mend> = {
  2: { message: 'the GPU has no memory left', fix: 'nvidia-smi # shows which programs hold it' },
  100: {
    message: 'the driver finds no GPU',
    fix: 'nvidia-smi -L # are they there, and not reserved for others?',
  },
  802: {
    message: 'the switch between the GPUs is not running',
    fix: 'sudo systemctl start nvidia-fabricmanager',
  },
  803: {
    message: "the driver's library is of another version than the driver itself",
    fix: 'restart the machine, or the container (it was updated while running)',
  },
  804: {
    message:
      "a library for compatibility with newer CUDA comes before the driver's own, and this GPU has none",
    fix: 'take …/cuda/compat out of LD_LIBRARY_PATH',
  },
  999: {
    message: 'the driver does not answer, as after a sleep of the machine',
    fix: 'sudo modprobe -r nvidia_uvm && sudo modprobe nvidia_uvm',
  },
};

function withStatus({ status, statusName, boards = [] }: CudaDriver): Mend {
  if (status === 100 && boards.some(({ divided }) => divided)) return undividedMend;
  return (
    stati[status!] ?? {
      message: `the driver cannot be started (cuInit: ${status}${statusName ? `, ${statusName}` : ''})`,
      fix: 'nvidia-smi # what does it say?',
    }
  );
}

const undividedMend: Mend = {
  message: 'the GPU is divided into instances (MIG), and none is chosen',
  fix: 'nvidia-smi -L # lists them; then: export CUDA_VISIBLE_DEVICES=MIG-…',
};

function dividedOrHidden({ boards = [] }: CudaDriver, visible?: string): Mend {
  if (boards.some(({ divided }) => divided)) return undividedMend;
  return visible === undefined
    ? stati[100]
    : { message: `CUDA_VISIBLE_DEVICES=${visible} names no GPU that is there`, fix: 'nvidia-smi -L' };
}

function withoutLibraries({ libraries }: CudaDriver): Mend | undefined {
  const missing = Object.entries(libraries).filter(([, { path }]) => path === undefined);
  if (missing.length === 0) return undefined;
  const reasons = missing.map(([name, { error }]) => `${name} (${error})`);
  return {
    message: `CUDA's libraries cannot be opened: ${reasons.join('; ')}`,
    fix: 'npx gnbench setup --variant cuda',
  };
}
