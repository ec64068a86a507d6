/**
 * A machine for tests: an empty cache, a small wheel, and on the PATH a `python3` whose pip copies that wheel and a
 * compiler that writes a line into each output. `FAKE_PIP` and `FAKE_CXX` make them fail or hang.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Wheel } from '../wheels.js';
import { makeZip } from './make-zip.js';

const python = `#!/bin/sh
shift 2
if [ "$1" = --version ]; then
  if [ "$FAKE_PIP" = absent ]; then echo "python3: No module named pip" >&2; exit 1; fi
  echo "pip 24.0 from /somewhere (python 3.12)"
  exit 0
fi
echo "pip $*" >> "$FAKE_LOG"
while [ $# -gt 0 ]; do [ "$1" = --dest ] && dest="$2"; shift; done
[ "$FAKE_PIP" = slow ] && sleep 1 && FAKE_PIP=
case "$FAKE_PIP" in
  hang) printf half > "$dest/half.whl"; sleep 20 ;;
  '') cp "$FAKE_WHEEL" "$dest/tensorflow_cpu-1-cp311-cp311-linux.whl" ;;
  *) printf '%s\\n' "$FAKE_PIP" >&2; exit 1 ;;
esac
`;

const compiler = `#!/bin/sh
if [ "$1" = -dumpfullversion ]; then echo "\${FAKE_CXX_VERSION:-13.1}"; exit 0; fi
echo "cxx $*" >> "$FAKE_LOG"
arguments="$*"
while [ $# -gt 0 ]; do [ "$1" = -o ] && output="$2"; shift; done
case "$FAKE_CXX:$arguments" in
  hang:*) sleep 20 ;;
  no-ops:*/kernels/*) echo "loops.cc:1: error: this compiler is too old" >&2; exit 1 ;;
  full:*/kernels/*) echo "x.cc:1: fatal error: No space left on device" >&2; exit 1 ;;
  killed:*/kernels/*) echo "g++: fatal error: Killed signal terminated program cc1plus" >&2; exit 1 ;;
  nothing:*) echo "x.cc:1: error: nothing compiles" >&2; exit 1 ;;
esac
echo built > "$output"
`;

/** The members of the small wheel; the last three are not needed. */
export const members = {
  'tensorflow/libtensorflow_cc.so.2': 'cc'.repeat(5000),
  'tensorflow/libtensorflow_framework.so.2': 'framework'.repeat(500),
  'tensorflow/include/tensorflow/c/c_api.h': '// a header',
  'tensorflow_cpu-1.dist-info/LICENSE': 'Apache 2.0',
  'tensorflow/include/external/other/other.h': '// not needed',
  'tensorflow/python/client.py': 'not needed',
  'tensorflow/python/_pywrap.so': 'not needed',
};

const variables = [
  'GNBENCH_CACHE',
  'PATH',
  'CXX',
  'FAKE_LOG',
  'FAKE_WHEEL',
  'FAKE_PIP',
  'FAKE_CXX',
  'FAKE_CXX_VERSION',
];

export class FakeMachine {
  private readonly saved = variables.map((name) => [name, process.env[name]] as const);

  private constructor(
    readonly folder: string,
    /** The pin of the small wheel. */
    readonly wheel: Wheel,
  ) {}

  static async start(): Promise<FakeMachine> {
    const folder = await mkdtemp(join(tmpdir(), 'gnbench-machine-'));
    const programs = join(folder, 'programs');
    await mkdir(programs);
    await script(join(programs, 'python3'), python);
    await script(join(folder, 'fake-c++'), compiler);
    const zip = makeZip(Object.entries(members).map(([name, content]) => ({ name, content })));
    const machine = new FakeMachine(folder, pin(zip));
    await machine.offer(zip);
    process.env.GNBENCH_CACHE = join(folder, 'cache');
    process.env.PATH = `${programs}:/usr/bin:/bin`;
    process.env.CXX = join(folder, 'fake-c++');
    process.env.FAKE_LOG = join(folder, 'log');
    process.env.FAKE_WHEEL = join(folder, 'offered.whl');
    for (const name of ['FAKE_PIP', 'FAKE_CXX', 'FAKE_CXX_VERSION']) delete process.env[name];
    return machine;
  }

  /** Sets the bytes that pip brings from now on. */
  offer(bytes: Buffer): Promise<void> {
    return writeFile(join(this.folder, 'offered.whl'), bytes);
  }

  /** How often pip downloaded, and how often the compiler ran, so far; and how they were called. */
  async calls(): Promise<{ downloads: number; compilations: number; lines: string[] }> {
    const text = await readFile(join(this.folder, 'log'), 'utf8').catch(() => '');
    const lines = text.split('\n').filter(Boolean);
    const count = (start: string) => lines.filter((line) => line.startsWith(start)).length;
    return { downloads: count('pip '), compilations: count('cxx '), lines };
  }

  /** The names in the engine's folder. */
  engineNames(): Promise<string[]> {
    return readdir(join(this.folder, 'cache', 'engine')).catch(() => []);
  }

  /** Another process that provisions the small wheel's engine, and how it ends. */
  provisionInChild(environment: NodeJS.ProcessEnv = {}): { child: ChildProcess; ended: Promise<Ended> } {
    const script = fileURLToPath(new URL('./provision-child.js', import.meta.url));
    const child = spawn(process.execPath, [script, JSON.stringify(this.wheel)], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, output }));
    });
    return { child, ended };
  }

  async stop(): Promise<void> {
    for (const [name, value] of this.saved) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
}

/** The pin of a file as it is. */
export function pin(bytes: Buffer): Wheel {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const size = bytes.length;
  return {
    name: 'tensorflow-cpu',
    why: 'a trial',
    version: '1',
    platform: 'linux',
    size,
    unpacked: 10 * size,
    sha256,
  };
}

async function script(path: string, text: string) {
  await writeFile(path, text);
  await chmod(path, 0o755);
}
