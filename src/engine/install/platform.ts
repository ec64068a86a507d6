/** The facts about this machine that decide about the engine: processor, NVIDIA devices, distribution. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export type Variant = 'cpu' | 'cuda';
export type EngineSource = 'wheel' | 'stock';

/** The names of the NVIDIA devices that a process may use; none when `CUDA_VISIBLE_DEVICES` hides them all. */
export function nvidiaDevices(): string[] {
  return showsDevices(process.env.CUDA_VISIBLE_DEVICES) ? presentDevices() : [];
}

/** CUDA reads it up to the first entry that is neither a number nor an identifier. */
export const showsDevices = (visible: string | undefined): boolean =>
  visible === undefined || /^\s*(\d|GPU-|MIG-)/.test(visible);

/** The names of the NVIDIA devices that there are, hidden or not. */
export function presentDevices(): string[] {
  const found = list('/dev').filter((name) => /^nvidia\d+$/.test(name));
  // Under WSL the devices have no node of their own; the driver's library is what tells.
  if (found.length === 0 && list('/usr/lib/wsl/lib').includes('libcuda.so.1')) return ['dxg'];
  return found;
}

/** Bytes of memory of the first NVIDIA device that a process may use; undefined where `nvidia-smi` does not say. */
export function nvidiaMemory(ask = askNvidia): number | undefined {
  const first = /^[^,]+/.exec(process.env.CUDA_VISIBLE_DEVICES ?? '')?.[0].trim();
  const mebibytes = Number.parseInt(ask(first ?? '0'), 10);
  return mebibytes > 0 ? mebibytes * 2 ** 20 : undefined;
}

function askNvidia(device: string): string {
  const query = ['--query-gpu=memory.total', '--format=csv,noheader,nounits', '-i', device];
  return spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: 20_000 }).stdout ?? '';
}

/** The wheel is for Linux with glibc on x64; everything else takes what the package's own installer brings. */
export function defaultSource(): EngineSource {
  return process.platform === 'linux' && process.arch === 'x64' && glibc() !== undefined ? 'wheel' : 'stock';
}

/** The version of the C library, e.g. '2.36'; undefined where it is another one than glibc. */
export function glibc(): string | undefined {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime;
}

/** The processor's features as the kernel lists them; empty where it does not. */
export function cpuFeatures(): string[] {
  try {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return line ? line[1].trim().split(/\s+/) : [];
  } catch {
    return [];
  }
}

/** The command that installs a system package here, e.g. `sudo apt-get install -y g++`. */
export function installCommand(what: 'compiler' | 'pip'): string {
  if (process.platform === 'darwin')
    return what === 'compiler' ? 'xcode-select --install' : 'brew install python';
  if (process.platform === 'win32')
    return what === 'compiler'
      ? 'winget install Microsoft.VisualStudio.2022.BuildTools'
      : 'winget install Python.Python.3.12';
  const commands = {
    debian: { compiler: 'apt-get install -y g++', pip: 'apt-get install -y python3-pip' },
    fedora: { compiler: 'dnf install -y gcc-c++', pip: 'dnf install -y python3-pip' },
    suse: { compiler: 'zypper install -y gcc-c++', pip: 'zypper install -y python3-pip' },
    arch: { compiler: 'pacman -S --noconfirm gcc', pip: 'pacman -S --noconfirm python-pip' },
    alpine: { compiler: 'apk add g++', pip: 'apk add py3-pip' },
  };
  const system = distribution();
  const family = Object.keys(commands).find((name) => system.includes(name)) as
    | keyof typeof commands
    | undefined;
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  if (family) return sudo + commands[family][what];
  return `${sudo}${commands.debian[what]} (Debian, Ubuntu) or ${sudo}${commands.fedora[what]} (Fedora, RHEL)`;
}

function distribution(): string {
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    const ids = [...release.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].map((match) => match[1]).join(' ');
    return /rhel|centos/.test(ids) ? `${ids} fedora` : ids;
  } catch {
    return '';
  }
}

const list = (folder: string) => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};
