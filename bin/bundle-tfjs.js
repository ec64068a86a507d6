/**
 * Bundles TensorFlow.js into dist/tfjs-node/open.cjs, with the licences of all that is in it beside it: the npm package
 * then has no dependency on packages of 250 MB, of which one has an installer that fetches from elsewhere.
 */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const modified = async (path) => (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;

/** True when the bundle is missing, or older than what it is made of. */
export async function isBundleStale(root) {
  const built = await modified(join(root, 'dist', 'tfjs-node', 'open.cjs'));
  const inputs = ['package-lock.json', 'bin/bundle-tfjs.js', 'vendor/tfjs-node/open.cjs'];
  const times = await Promise.all(inputs.map((path) => modified(join(root, path))));
  return times.some((time) => time > built);
}

/** Writes `open.cjs` and `LICENSES.txt` into `folder`. */
export async function bundleTfjs(root, folder) {
  const esbuild = await import('esbuild');
  const vendor = join(root, 'vendor', 'tfjs-node');
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [join(vendor, 'open.cjs')],
    outfile: join(folder, 'open.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    legalComments: 'eof',
    metafile: true,
    logLevel: 'error',
    plugins: [
      {
        name: 'binding',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^@mapbox\/node-pre-gyp$/ }, () => ({ path: join(vendor, 'pre-gyp.cjs') })),
      },
    ],
  });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'LICENSES.txt'), await licences(root, Object.keys(metafile.inputs)));
}

/** Packages under the MIT licence that are published without its text. */
const holders = {
  tr46: 'Sebastian Mayr',
  '@tensorflow/tfjs-layers': 'Google LLC; CodeSmith LLC',
};

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** The licence of each package that one of the bundled files belongs to. */
async function licences(root, bundled) {
  const packages = new Set(bundled.map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]));
  packages.delete(undefined);
  const parts = [];
  for (const folder of ['vendor/tfjs-node', ...[...packages].sort()]) {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
    const files = (await readdir(join(root, folder))).sort();
    const own = files.filter((file) => /^(licen[cs]e|notice)/i.test(file));
    // Some packages print theirs in the README; the text of Apache-2.0 is the first of all.
    const readme = license === 'Apache-2.0' ? [] : files.filter((file) => /^readme/i.test(file));
    const chosen = own.length > 0 ? own : readme;
    const texts = await Promise.all(chosen.map((file) => readFile(join(root, folder, file), 'utf8')));
    if (/\bMIT\b/.test(license) && !texts.some((text) => text.includes('Permission is hereby granted'))) {
      const holder = holders[name];
      // Nobody may pass the package on without its notice.
      if (holder === undefined) throw new Error(`the package ${name} is bundled and has no licence text`);
      texts.push(`Copyright (c) ${holder}\n\n${mit}`);
    }
    parts.push(`${name} ${version}: ${license}\n\n${texts.join('\n\n')}`.trim());
  }
  return `${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
