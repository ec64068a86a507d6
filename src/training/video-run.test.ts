/** A run over clips, in files and in folders of frames, ends in the same bits whatever is killed in the middle of it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { parseConfig } from '../config/load.js';
import { UserError } from '../errors.js';
import { type RunOutcome, readOutcome } from '../runs/testing/run-outcome.js';
import { run } from './run.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-video-run-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const [width, height, frames] = [24, 20, 7];
const decoder = join(scratch, 'ffmpeg');
process.env.GNBENCH_FFMPEG = decoder;

/** The pixels of a clip's frame, which differ from clip to clip and from frame to frame. */
const picture = (clip: number, frame: number): Uint8Array =>
  Uint8Array.from(
    { length: width * height * 3 },
    (_, at) => (at * (clip + 3) + frame * 40 + (at >> 5)) % 256,
  );

/**
 * Files hold what FFmpeg would write, so that a decoder of a few lines serves; `end` is done by the decoder that is
 * started when each of the six clips has been checked and two further ones decoded.
 */
function writeDecoder(end = ''): void {
  fs.writeFileSync(
    decoder,
    `#!/bin/sh
[ "$2" = -version ] && { echo 'ffmpeg version of-a-test'; exit; }
for word; do case $word in file:*) clip=\${word#file:};; esac; done
printf x >> '${decoder}.count'
if [ "$(wc -c < '${decoder}.count')" -gt 8 ]; then head -c 2000 "$clip"; ${end || ':'}; tail -c +2001 "$clip"; else cat "$clip"; fi
`,
    { mode: 0o755 },
  );
  fs.rmSync(`${decoder}.count`, { force: true });
  fs.rmSync(`${decoder}.killed`, { recursive: true, force: true });
}

before(async () => {
  for (const [split, clips] of [
    ['train', 4],
    ['val', 2],
  ] as const) {
    const [files, folders] = ['file', 'folder'].map((kind) => join(scratch, split, kind));
    fs.mkdirSync(files, { recursive: true });
    for (let clip = 0; clip < clips; clip++) {
      const header = Buffer.from(`P6\n${width} ${height}\n255\n`);
      const images = Array.from({ length: frames }, (_, frame) => picture(clip, frame));
      fs.writeFileSync(join(files, `${clip}.mp4`), Buffer.concat(images.flatMap((each) => [header, each])));
      const folder = join(folders, String(clip));
      fs.mkdirSync(folder, { recursive: true });
      for (const [frame, data] of images.entries()) {
        const file = sharp(data.toReversed(), { raw: { width, height, channels: 3 } }).png();
        await file.toFile(join(folder, `${frame}.png`));
      }
    }
  }
});

const config = () => `
model: { name: i3d-resnet18, timeStrides: { conv1: 1, pool1: 1, pool2: 2 } }
normalizer: { name: group, groups: 32 }
data:
  { name: video-folder, train: '${scratch}/train', val: '${scratch}/val', frames: 4, interval: 1, resolution: 16,
    views: { clips: 2, crops: 3 }, decodedCache: 0 }
batch: { size: 2 }
learningRate: { base: 0.01, per: 2 }
epochs: 2
evaluate: { batchSize: 5 }
checkpoint: { everySteps: 2 }
log: { everySteps: 1 }
engine: { intraOpThreads: 1, interOpThreads: 1 }
`;

/** A life of the run, which ends when it asks for the `stopAt`-th time whether to stop. */
async function live(folder: string, stopAt = Number.POSITIVE_INFINITY): Promise<string> {
  let asked = 0;
  const summary = await run(parseConfig(config(), { file: 'video.yaml' }), {
    out: folder,
    mode: 'resume',
    eager: false,
    tensorboard: false,
    deterministic: false,
    quiet: true,
    debug: false,
    note: () => {},
    stopRequested: () => (++asked < stopAt ? undefined : { signal: 'SIGTERM', exitCode: 143 }),
  });
  return summary.status;
}

let undisturbed: RunOutcome;

test('stopped in mid-epoch and while all views are evaluated, it ends in the same bits', async () => {
  writeDecoder();
  const [whole, parts] = [join(scratch, 'whole'), join(scratch, 'parts')];
  assert.equal(await live(whole), 'completed');
  undisturbed = await readOutcome(whole);
  assert.deepEqual([undisturbed.curves.length, undisturbed.steps.length], [2, 8]);
  assert.equal(await live(parts, 3), 'interrupted');
  // One further step, an evaluation of one batch, the second epoch's four steps, the first of its three batches.
  assert.equal(await live(parts, 7), 'interrupted');
  assert.equal(await live(parts), 'completed');
  assert.deepEqual(await readOutcome(parts), undisturbed);
  for (const name of ['answers.csv', 'frames.svg', 'mistakes.svg']) {
    const [expected, found] = [whole, parts].map((folder) => fs.readFileSync(join(folder, name), 'utf8'));
    assert.equal(found, expected, name);
  }
});

test('killed with SIGKILL, it ends in the same bits', async () => {
  writeDecoder();
  const file = join(scratch, 'killed.yaml');
  fs.writeFileSync(file, config());
  const folder = join(scratch, 'killed');
  const commandLine = fileURLToPath(new URL('../cli.js', import.meta.url));
  const start = () => {
    const options = ['run', file, '--out', folder, '--resume', '--quiet'];
    return spawn(process.execPath, [commandLine, ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  const first = start();
  const ended = once(first, 'exit');
  while (first.exitCode === null && !hasCheckpoint(folder)) await sleep(2);
  first.kill('SIGKILL');
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  const [code] = await once(start(), 'exit');
  assert.equal(code, 0);
  assert.deepEqual(await readOutcome(folder), undisturbed);
});

function hasCheckpoint(folder: string): boolean {
  const checkpoints = join(folder, 'checkpoints');
  return fs.existsSync(checkpoints) && fs.readdirSync(checkpoints).some((name) => !name.startsWith('.tmp-'));
}

test('a decoder that is killed in the middle of a clip is started again, and the run ends in the same bits', async () => {
  writeDecoder('mkdir "$0.killed" 2>/dev/null && kill -9 $$');
  const folder = join(scratch, 'restarted');
  assert.equal(await live(folder), 'completed');
  assert.ok(fs.existsSync(`${decoder}.killed`));
  assert.deepEqual(await readOutcome(folder), undisturbed);
});

test('decoders that are killed each time end the run with the path of the clip', async () => {
  writeDecoder('kill -9 $$');
  await assert.rejects(
    live(join(scratch, 'given-up')),
    (error) =>
      error instanceof UserError &&
      /ended by SIGKILL/.test(error.message) &&
      /file\/\d\.mp4$/.test(error.place!),
  );
});
