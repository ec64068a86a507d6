/** The check of a GPU, where parts of it go wrong. gnbench is played by a few lines, so nothing is computed. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const scripts = fileURLToPath(new URL('../../experiments/gpu', import.meta.url));
const { reasonOf } = await import(new URL('../../experiments/gpu/reason.mjs', import.meta.url).href);

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gnbench-check-'));
  await cp(scripts, join(folder, 'experiments', 'gpu'), { recursive: true });
  await mkdir(join(folder, 'bin'));
});
after(() => rm(folder, { recursive: true }));

/** The check in this folder, with a gnbench that does what `body` says to its arguments, `args`. */
async function check(body: string, ...flags: string[]) {
  const head =
    "const args = process.argv.slice(2); const { writeFileSync, mkdirSync } = require('node:fs');\n";
  await writeFile(join(folder, 'bin', 'gnbench.js'), head + body);
  const script = join(folder, 'experiments', 'gpu', 'check.mjs');
  const given = ['--device', 'cpu', '--short', '--name', 'played', '--out', folder, '--python', 'no-python'];
  return new Promise<{ code: number; said: string; table: string }>((resolve) => {
    execFile(process.execPath, [script, ...given, ...flags], async (error, stdout) => {
      const table = await readFile(join(folder, 'gpu-played.md'), 'utf8');
      resolve({ code: error ? Number(error.code) : 0, said: stdout, table });
    });
  });
}

const row = "{model: 'resnet20', normalizer: 'group', batch: 2, workers: 1, precision: 'float32'}";
const measured = `console.log(JSON.stringify([{...${row}, imagesPerSecond: 700, stepMs: {median: 2.9}}]));`;

test('a setting that fails has failed: in the table, in the line of its part, and in the exit code', async () => {
  const { code, said, table } = await check(
    `if (args.some((one) => one.endsWith('compiler=none'))) {
       console.error('error: engine.compiler: none: no such kernel\\n  npx gnbench doctor');
       process.exit(1);
     }
     ${measured}`,
    '--parts',
    'bench',
  );
  assert.equal(code, 1);
  assert.match(said, /^bench +failed .*1 of 1 settings; 1 measurement failed, .* none: .*no such kernel$/m);
  assert.match(table, /\| none \| failed: engine\.compiler: none: no such kernel \|/);
  assert.match(table, /\| xla \| 700 \|/);
});

test('without one, nothing has failed', async () => {
  const { code, said, table } = await check(measured, '--parts', 'bench');
  assert.equal(code, 0);
  assert.match(said, /^bench +done .*1 of 1 settings$/m);
  assert.doesNotMatch(table, /failed/);
});

test('a machine without an engine, or whose GPU is not used, is told what to do', async () => {
  const saying = (...checks: object[]) =>
    `console.log(${JSON.stringify(JSON.stringify({ checks }))}); process.exitCode = ${checks.length === 1 ? 1 : 0};`;
  const engine = {
    name: 'engine',
    state: 'missing',
    detail: 'not in the cache',
    fix: 'gnbench setup',
    blocks: true,
  };
  const without = await check(saying(engine), '--parts', 'doctor');
  assert.equal(without.code, 1);
  assert.match(without.said, /^doctor +failed .*engine: not in the cache: gnbench setup$/m);
  const cpu = { name: 'device', state: 'missing', detail: 'CPU', blocks: false };
  const hidden = { name: 'cuda', state: 'missing', detail: 'all are hidden', fix: 'unset X', blocks: false };
  const unused = await check(saying(cpu, hidden), '--parts', 'doctor', '--device', 'gpu');
  assert.match(unused.said, /^doctor +failed .*no GPU is used: all are hidden: unset X$/m);
  assert.equal((await check(saying(cpu, hidden), '--parts', 'doctor')).code, 0);
});

test('a case of parity that ends in an error is one failed row, and leaves the others theirs', async () => {
  const child = `
    const { compiler } = JSON.parse(process.argv[2]);
    if (compiler === 'none' && process.env.CUDA_VISIBLE_DEVICES !== '-1') {
      console.error("Error: GnbenchSgd: cuLaunchKernel: CUDA_ERROR_INVALID_VALUE\\n    at run");
      process.exit(1);
    }
    const state = (value) => ({ values: Buffer.from(Float32Array.of(value).buffer).toString('base64') });
    console.log(JSON.stringify({ device: 'CPU', losses: [1], start: state(1), first: state(2), last: state(3) }));`;
  await mkdir(join(folder, 'dist', 'bench'), { recursive: true });
  await writeFile(join(folder, 'dist', 'bench', 'steps-child.js'), child);
  const { code, said, table } = await check('', '--parts', 'parity');
  assert.equal(code, 1);
  assert.match(
    said,
    /^parity +failed .*1 of 2 cases hold \(2 in all\); .* none: .*CUDA_ERROR_INVALID_VALUE$/m,
  );
  assert.match(table, /\| xla \| 0\.0e\+0 \| 0\.0001 \|/);
  assert.match(table, /\| none \| failed: Error: GnbenchSgd: cuLaunchKernel: CUDA_ERROR_INVALID_VALUE \|/);
});

/** As `gnbench train`: `out` is the run's folder. */
const trained = 'const out = args[args.indexOf("--out") + 1]; mkdirSync(out, { recursive: true });';
const curves = 'writeFileSync(out + "/curves.csv", "epoch,val_error,images_per_second\\n1,88.5,1234.4\\n");';

test('a training that fails says why, even where it says nothing', async () => {
  const failing = await check(
    `${trained} console.error("error: data: it is not there\\n  gnbench data fetch"); process.exit(2);`,
    '--train',
    '--parts',
    'quickstart',
  );
  assert.equal(failing.code, 1);
  assert.match(
    failing.said,
    /^quickstart +failed .*quickstart\.yaml: after 0 epochs: data: it is not there$/m,
  );
  const silent = await check('process.kill(process.pid, "SIGABRT");', '--train', '--parts', 'gn-8x2');
  assert.match(silent.said, /^gn-8x2 +failed .*: it was ended by SIGABRT and said nothing$/m);
  const diverging = `${trained} ${curves} console.log("diverged: the loss at step 7 is not finite"); process.exit(1);`;
  const diverged = await check(diverging, '--train', '--parts', 'gn-8x2');
  assert.equal(diverged.code, 1);
  assert.match(diverged.said, /after 1 epoch: diverged: the loss at step 7 is not finite$/m);
});

test('a training is stopped when its time is over, and counts as far as it came', async () => {
  const waits = 'process.on("SIGINT", () => process.exit(130)); setInterval(() => {}, 1000);';
  const flags = ['--train', '--parts', 'gn-8x2', '--minutes', '0.45']; // a quarter of it, less five seconds to stop
  const [some, none] = [await check(`${trained} ${curves} ${waits}`, ...flags), await check(waits, ...flags)];
  assert.equal(some.code, 0);
  assert.match(some.said, /^gn-8x2 +done .*: 1 epoch, val_error 88\.5 %, 1234 images\/s$/m);
  assert.equal(none.code, 1);
  assert.match(none.said, /^gn-8x2 +failed .*: no epoch ended within 2 s$/m);
});

test('a resumed run that outlasts its time ends its part, and not the check', async () => {
  const rows = 'writeFileSync(out + "/curves.csv", "epoch,val_error\\n1,88.5\\n2,80.5\\n");';
  const waits = 'setInterval(() => {}, 1000);';
  const { code, said } = await check(
    `${trained} ${rows} if (!out.endsWith('whole')) { ${waits} }`,
    ...['--parts', 'resume,usage', '--minutes', '0.45'], // a fifth of it
  );
  assert.match(said, /^resume +cut short .*its 5 s were over$/m);
  assert.match(said, /^usage /m);
  assert.equal(code, 0);
});

test('a reason is what gnbench, Node or TensorFlow says, and never empty', () => {
  const gnbench = 'error: batch: too large\n  set batch.size\n';
  const mistake = 'error: x is not a function\n  This is a mistake in gnbench. Run it again with --debug.\n';
  const node =
    'file:///a/errors.js:3\n  throw new UserError(\n\nUserError: no GPU can be used: gone\n    at load';
  const tensorflow = 'I0000 starting\nF0000 00:00 gpu.cc:12] Check failed: stream != nullptr\n*** SIGABRT';
  assert.equal(reasonOf({ stderr: gnbench }), 'batch: too large');
  assert.equal(reasonOf({ stderr: mistake }), 'x is not a function');
  assert.equal(reasonOf({ stderr: node }), 'UserError: no GPU can be used: gone');
  assert.match(reasonOf({ stderr: tensorflow }), /Check failed: stream != nullptr/);
  assert.equal(reasonOf({ stderr: '', signal: 'SIGKILL' }), 'it was ended by SIGKILL and said nothing');
  assert.equal(
    reasonOf({ stderr: ' \n', code: 3, message: 'x' }),
    'it ended with exit code 3 and said nothing',
  );
  assert.equal(reasonOf(new Error('there is none')), 'there is none');
  assert.equal(reasonOf({}), 'it said nothing');
});
