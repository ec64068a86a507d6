/**
 * Turns src/**\/*.ts into dist/**\/*.js, file by file, with esbuild: no bundle, so a command loads only what it
 * imports. `gnbench` calls `buildIfStale` at every start: a fresh clone works straight after `npm ci`, and an edit
 * takes effect at once. Run directly (`npm run build`), it builds everything anew. The npm package has dist/ and no
 * build.js.
 */
import { access, constants, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleTfjs, isBundleStale } from './bundle-tfjs.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'src');
const target = join(root, 'dist');

async function sources(folder = source) {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = entries.map((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /(?<!\.d)\.ts$/.test(entry.name) ? [path] : [];
  });
  return (await Promise.all(nested)).flat();
}

const output = (path) => join(target, relative(source, path)).replace(/\.ts$/, '.js');
const modified = async (path) => (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;

/** Builds the files whose output is missing or older than its source; quick when there are none. */
export async function buildIfStale() {
  const files = await sources();
  const stale = await Promise.all(
    files.map(async (path) => (await modified(path)) > (await modified(output(path)))),
  );
  const changed = files.filter((_, index) => stale[index]);
  const bundle = await isBundleStale(root);
  if (changed.length > 0 || bundle) await build(changed, bundle);
}

async function build(files, bundle) {
  await access(root, constants.W_OK).catch(() => {
    throw new Error(
      `${target} is older than its source and ${root} is read-only; run "npm run build" as its owner`,
    );
  });
  const esbuild = await import('esbuild');
  // Into a folder of this process's own, then renamed: processes that start together never see half a file.
  const scratch = join(target, `.build-${process.pid}`);
  await mkdir(scratch, { recursive: true });
  await esbuild.build({
    entryPoints: files,
    outdir: scratch,
    outbase: source,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'error',
  });
  if (bundle) {
    const folder = join(scratch, 'tfjs-node');
    await bundleTfjs(root, folder);
    await mkdir(join(target, 'tfjs-node'), { recursive: true });
    for (const name of await readdir(folder))
      await rename(join(folder, name), join(target, 'tfjs-node', name));
  }
  for (const path of files) {
    await mkdir(dirname(output(path)), { recursive: true });
    await rename(join(scratch, relative(target, output(path))), output(path));
  }
  await rm(scratch, { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await rm(target, { recursive: true, force: true });
  await build(await sources(), true);
}
