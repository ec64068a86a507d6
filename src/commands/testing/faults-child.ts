/**
 * Fails the calls of the file system of `run`, `eval`, `sweep` and `data fetch`, one in each try, and prints what was then
 * called a mistake of the program: a JSON list of lines. Its arguments: a scratch folder, and how many calls of each command to fail at
 * most.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { parseConfig } from '../../config/load.js';
import { cifar10 } from '../../datasets/checksums.js';
import { provideCifar } from '../../datasets/download/provide.js';
import { imageFile } from '../../datasets/testing/image-file.js';
import { loadExperiment } from '../../experiments/experiment.js';
import { sweepHere } from '../../sweep/sweep.js';
import { evaluateWeights } from '../../training/evaluate-run.js';
import { run } from '../../training/run.js';
import { explain } from '../explain.js';
import { installFaults, withFault } from './faults.js';

const [scratch, most] = [process.argv[2], Number(process.argv[3])];
const images = join(scratch, 'images');
for (const part of ['train', 'val']) {
  for (const [label, name] of ['cat', 'dog'].entries()) {
    mkdirSync(join(images, part, name), { recursive: true });
    for (const index of [0, 1]) {
      await imageFile(label + 2 * index, 8, 8)
        .png()
        .toFile(join(images, part, name, `${index}.png`));
    }
  }
}
const config = parseConfig(
  `
model: resnet20
normalizer: gn
data: { name: image-folder, train: ${images}/train, val: ${images}/val, resolution: 8, decodedCache: 0 }
batch: { size: 4 }
epochs: 1
engine: { intraOpThreads: 1, interOpThreads: 1 }
`,
  { file: 'faults.yaml' },
);
const quiet = { quiet: true, debug: false, note: () => {}, stopRequested: () => undefined };
const options = { ...quiet, mode: 'force' as const, eager: false, deterministic: false, tensorboard: true };
const trained = join(scratch, 'trained');
await run(config, { ...options, out: trained });

const experimentFile = join(scratch, 'sweep', 'tiny', 'experiment.yaml');
mkdirSync(join(scratch, 'sweep', 'tiny'), { recursive: true });
writeFileSync(
  experimentFile,
  'name: tiny\ntitle: t\nbase: { data: synthetic, model: resnet20, epochs: 2 }\naxes: { normalizer: [batch] }\nseeds: [1]\n',
);
const machine = { cores: 1, devices: [] };
const fakeRun = { script: fileURLToPath(new URL('../../sweep/testing/run.js', import.meta.url)), args: [] };

const names = Object.keys(cifar10.records);
const pack = tar.pack();
for (const file of names) pack.entry({ name: `${cifar10.folder}/${file}` }, Buffer.alloc(3073, 1));
pack.finalize();
const chunks: Buffer[] = [];
for await (const chunk of pack) chunks.push(chunk as Buffer);
const archive = gzipSync(Buffer.concat(chunks));
const server = createServer((_, response) => response.end(archive));
await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
const version = {
  ...cifar10,
  records: Object.fromEntries(names.map((file) => [file, 1])),
  archive: {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/set.tar.gz`,
    bytes: archive.length,
    sha256: createHash('sha256').update(archive).digest('hex'),
  },
};

let tries = 0;
const commands: Record<string, () => Promise<unknown>> = {
  run: () => run(config, { ...options, out: join(scratch, `run-${tries}`) }),
  eval: () => evaluateWeights(config, trained, { ...quiet, stopRequested: () => false }),
  sweep: async () => {
    const experiments = [await loadExperiment(experimentFile)];
    return sweepHere({
      experiments,
      machine,
      jobs: 1,
      failFast: false,
      quiet: true,
      flags: [],
      command: fakeRun,
    } as never);
  },
  fetch: async () => {
    process.env.GNBENCH_CACHE = join(scratch, `cache-${tries}`);
    delete process.env.GNBENCH_DATA;
    return provideCifar(version, { quiet: true });
  },
};

await installFaults();
const mistakes: string[] = [];
let current = '';
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: Error) => mistakes.push(`${current}: ${event}: ${error.stack}`));
}
const counts: Record<string, number> = {};
for (const [name, command] of Object.entries(commands)) {
  const clear = () => {
    if (name === 'sweep') rmSync(join(scratch, 'sweep', 'tiny', 'batch'), { recursive: true, force: true });
  };
  clear();
  const { calls, error } = await withFault(-1, command);
  if (error) mistakes.push(`${name}, without a fault: ${(error as Error).stack}`);
  const step = Math.max(1, calls / most);
  counts[name] = Math.ceil(calls / step);
  for (let at = 0; at < calls; at += step) {
    tries++;
    clear();
    current = `${name}, call ${Math.floor(at)} of ${calls}`;
    const { failed, error } = await withFault(Math.floor(at), command);
    if (error !== undefined && /mistake in gnbench/.test(explain(error, false).text)) {
      mistakes.push(`${current}: ${failed}: ${(error as Error).stack}`);
    }
  }
}
server.close();
process.stdout.write(`${JSON.stringify({ counts, mistakes })}\n`);
process.exit(0);
