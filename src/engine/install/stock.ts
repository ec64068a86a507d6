/**
 * The engine that the package's own installer brings: libtensorflow 2.9.1 (CUDA 11.2) and a ready-made binding.
 * What it downloads has no published checksum to pin, so only TLS vouches for it: that is said when it is chosen.
 *
 * The installer rewrites its own package.json and downloads beside itself: it runs on a copy in the cache.
 */
import { chmod, cp, lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, relative, sep } from 'node:path';
import { UserError } from '../../errors.js';
import { type FileFacts, sha256Of } from './checksum.js';
import { lastLines, runCommand } from './command.js';
import type { BuildOptions, Engine, Recipe } from './index.js';
import type { Variant } from './platform.js';
import { checkOwnership, engineFolder, publish, readComplete } from './store.js';

const require = createRequire(import.meta.url);

/** The package's folder in node_modules. */
const installed = () => dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));

export async function stockEngine(variant: Variant, original = installed()): Promise<Recipe> {
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
      if (!options.force && (await readComplete(folder))) return;
      options.say('stock engine: its installer checks no checksum; only TLS vouches for what it downloads');
      await publish(name, (scratch) => install(original, scratch, variant, options));
    },
  };
}

async function install(original: string, folder: string, variant: Variant, options: BuildOptions) {
  for (const part of ['scripts', 'binding', 'binding.gyp', 'package.json']) {
    await cp(join(original, part), join(folder, part), { recursive: true });
  }
  if (variant === 'cpu') await nameForCpu(join(folder, 'package.json'));
  const result = await runCommand(
    process.execPath,
    [join('scripts', 'install.js'), variant === 'cuda' ? 'gpu' : 'cpu', 'download'],
    {
      cwd: folder,
      env: await installerEnvironment(original, folder),
      signal: options.signal,
      debug: options.debug,
    },
  );
  const files = await listFiles(folder);
  const binding = Object.keys(files).find((path) => /^lib\/napi-v\d+\/tfjs_binding\.node$/.test(path));
  const library = Object.keys(files).find((path) => /^deps\/(lib\/)?(lib)?tensorflow\.[^/]*$/.test(path));
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

/** The copy finds its dependencies where the original's are, and `node-pre-gyp` on the PATH. */
async function installerEnvironment(original: string, folder: string): Promise<NodeJS.ProcessEnv> {
  const fromPackage = createRequire(join(original, 'package.json'));
  const programs = join(folder, 'programs');
  await mkdir(programs);
  const preGyp = join(
    dirname(fromPackage.resolve('@mapbox/node-pre-gyp/package.json')),
    'bin',
    'node-pre-gyp',
  );
  if (process.platform === 'win32') {
    await writeFile(join(programs, 'node-pre-gyp.cmd'), `@"${process.execPath}" "${preGyp}" %*\r\n`);
  } else {
    await symlink(preGyp, join(programs, 'node-pre-gyp'));
  }
  const path = [programs, dirname(process.execPath), process.env.PATH].join(delimiter);
  return { ...process.env, PATH: path, NODE_PATH: (fromPackage.resolve.paths('x') ?? []).join(delimiter) };
}

/** The line that names the cause: a network error's code if there is one, else the first that speaks of an error. */
function firstError(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const network = lines.find((line) =>
    /^\w*Error\b.*\b(ENOTFOUND|ECONN\w+|EAI_AGAIN|ETIMEDOUT|ENETUNREACH)/.test(line),
  );
  return (
    network ?? lines.find((line) => /^\w*error\b/i.test(line)) ?? (lastLines(output, 1) || 'it says nothing')
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
