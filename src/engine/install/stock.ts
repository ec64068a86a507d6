/**
 * The engine that the package's own installer brings: libtensorflow 2.9.1 (CUDA 11.2) and a ready-made binding.
 * What it downloads has no published checksum to pin, so only TLS vouches for it: that is said when it is chosen.
 *
 * The installer rewrites its own package.json and downloads beside itself: it runs on a copy in the cache, and so do the
 * packages that it needs, which npm brings just for that.
 */

import { chmod, cp, lstat, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../errors.js';
import { damagedFiles, type FileFacts, sha256Of } from './checksum.js';
import { type CommandResult, lastLines, runCommand } from './command.js';
import type { Variant } from './platform.js';
import type { BuildOptions, Engine, Recipe } from './recipe.js';
import { checkOwnership, engineFolder, publish, readComplete } from './store.js';

const require = createRequire(import.meta.url);

/** TensorFlow.js as gnbench carries it, with the installer's scripts. */
const carried = fileURLToPath(new URL('../../../vendor/tfjs-node', import.meta.url));

/** The packages that the installer requires. */
const installerNeeds = [
  '@mapbox/node-pre-gyp@1.0.9',
  'adm-zip@0.5.18',
  'https-proxy-agent@2.2.4',
  'progress@2.0.3',
  'rimraf@2.7.1',
  'tar@6.2.1',
];

export async function stockEngine(variant: Variant, original = carried): Promise<Recipe> {
  if (variant === 'cuda' && process.platform === 'darwin') {
    throw new UserError('there is no CUDA on macOS', { fix: 'use the CPU variant: --variant cpu' });
  }
  const { version } = JSON.parse(await readFile(join(original, 'package.json'), 'utf8'));
  const name = `stock-${version}-${variant}-${process.platform}-${process.arch}`;
  const folder = join(engineFolder(), name);
  return {
    source: 'stock',
    async find(): Promise<Engine | undefined> {
      const complete = await readComplete(folder);
      if (!complete) return undefined;
      await checkOwnership();
      const { binding, tensorflow } = complete.facts;
      const nativeOpsMissing = 'the stock library comes without the C++ headers that they need';
      return {
        variant,
        source: 'stock',
        folder,
        binding: join(folder, binding),
        nativeOpsMissing,
        tensorflow,
      };
    },
    isImprovable: () => false,
    build: async (options) => {
      const complete = options.force ? undefined : await readComplete(folder);
      if (complete) {
        const damaged = options.verify ? await damagedFiles(folder, complete.files, options) : [];
        if (damaged.length === 0) return;
        options.say(`${damaged[0]} is damaged (${damaged.length} in all): fetching it anew`);
      }
      options.say('stock engine: its installer checks no checksum; only TLS vouches for what it downloads');
      await publish(name, (scratch) => install(original, scratch, variant, options));
    },
  };
}

async function install(original: string, folder: string, variant: Variant, options: BuildOptions) {
  const npm = await runNpm(folder, options);
  if (npm.code !== 0) {
    throw new UserError(`npm could not bring what the installer needs: ${firstError(npm.stderr)}`, {
      fix: 'check the network, and the proxy and registry that npm is set to',
      exitCode: 1,
      cause: new Error(lastLines(npm.stdout + npm.stderr, 40)),
    });
  }
  for (const part of ['scripts', 'binding', 'binding.gyp', 'package.json']) {
    await cp(join(original, part), join(folder, part), { recursive: true });
  }
  if (variant === 'cpu') await nameForCpu(join(folder, 'package.json'));
  const path = [join(folder, 'node_modules', '.bin'), dirname(process.execPath), process.env.PATH];
  const result = await runCommand(
    process.execPath,
    [join('scripts', 'install.js'), variant === 'cuda' ? 'gpu' : 'cpu', 'download'],
    {
      cwd: folder,
      env: { ...process.env, PATH: path.join(delimiter) },
      signal: options.signal,
      debug: options.debug,
    },
  );
  await rm(join(folder, 'node_modules'), { recursive: true, force: true });
  const files = await listFiles(folder);
  const binding = Object.keys(files).find((file) => /^lib\/napi-v\d+\/tfjs_binding\.node$/.test(file));
  const library = Object.keys(files).find((file) => /^deps\/(lib\/)?(lib)?tensorflow\.[^/]*$/.test(file));
  if (result.code !== 0 || !binding || !library) {
    throw new UserError(`the package's own installer failed: ${firstError(result.stderr + result.stdout)}`, {
      fix: 'check network and proxy (HTTPS_PROXY); npx gnbench setup --source stock --debug shows all that it says',
      exitCode: 1,
      cause: new Error(lastLines(result.stdout + result.stderr, 40)),
    });
  }
  const { LIBTENSORFLOW_VERSION: tensorflow } = require(join(folder, 'scripts', 'deps-constants.js'));
  return { facts: { binding, tensorflow: String(tensorflow) }, files };
}

/** The ready-made binding is chosen by the package's name; that of the CPU package goes with the CPU library. */
async function nameForCpu(path: string) {
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...manifest, name: '@tensorflow/tfjs-node' }, null, 2));
}

/** Installs into `folder`, which has no package.json yet: npm would bring all that it names. */
function runNpm(folder: string, options: BuildOptions): Promise<CommandResult> {
  // On Windows npm is a batch file, which only a shell can start; its script lies beside Node.
  const [program, first] =
    process.platform === 'win32'
      ? [process.execPath, [join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js')]]
      : ['npm', []];
  const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
  return runCommand(program, [...first, 'install', ...flags, ...installerNeeds], {
    cwd: folder,
    env: { ...process.env, PATH: [process.env.PATH, dirname(process.execPath)].join(delimiter) },
    signal: options.signal,
    debug: options.debug,
  });
}

/** The line that names the cause: a network error's code if there is one, else the first that speaks of an error. */
function firstError(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const network = lines.find((line) =>
    /^\w*Error\b.*\b(ENOTFOUND|ECONN\w+|EAI_AGAIN|ETIMEDOUT|ENETUNREACH)/.test(line),
  );
  return (
    network ??
    lines.find((line) => /^(npm )?\w*error\b/i.test(line)) ??
    (lastLines(output, 1) || 'it says nothing')
  );
}

async function listFiles(folder: string): Promise<Record<string, FileFacts>> {
  const files: Record<string, FileFacts> = {};
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name);
    const facts = await lstat(path);
    if (!facts.isSymbolicLink()) await chmod(path, facts.mode & 0o7755); // closed for other users' writing
    if (!facts.isFile()) continue;
    files[relative(folder, path).replaceAll(sep, '/')] = { size: facts.size, sha256: await sha256Of(path) };
  }
  return files;
}
