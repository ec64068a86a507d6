/** A mistyped command is answered at once: what is wrong, where, and what to type instead. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const gnbench = join(root, 'bin/gnbench.js');
const scratch = mkdtempSync(join(tmpdir(), 'gnbench-usage-'));
after(() => rmSync(scratch, { recursive: true }));

const weights = join(scratch, 'resnet50.pth');
writeFileSync(weights, 'PK\x03\x04and so on');
const finished = 'results/table2-batch-size-small/bn-b2-db46857f38/1';

const mistyped = join(scratch, 'mistyped.yaml');
writeFileSync(
  mistyped,
  'name: detection-shapes\ntitle: x\nmetric: maskAp\nbase: { model: mask-rcnn, normalizer: group, data: shapes, epochs: 1 }\naxes: { batch.size: [2] }\n',
);
const bareAxis = join(scratch, 'bare-axis.yaml');
writeFileSync(
  bareAxis,
  'title: x\nbase: { model: resnet20, normalizer: group, data: synthetic, epochs: 1 }\naxes: { batch.size: 4 }\n',
);

const cases: [args: string, expected: RegExp][] = [
  ['run configs/quickstart.yaml --resume --force', /--resume.*cannot be used with.*--force/],
  ['run experiments/table2-batch-size-small.yaml', /this is an experiment.*\n.*gnbench sweep experiments/],
  ['train experiments/table2-batch-size-small.yaml', /this is an experiment/],
  [
    'eval configs/quickstart.yaml --weights none --batch-size two',
    /--batch-size.*must be a positive integer/,
  ],
  ['bench --batch 2 --batch-size 4', /--batch-size.*cannot be used with.*--batch/],
  ['bench --batch-size 70000', /--batch: .*65536/s],
  ['table table2-batch-size-small --json --format csv', /--json.*cannot be used with.*--format/],
  ['sweep configs/quickstart.yaml', /this is a configuration.*\n.*gnbench run configs/],
  ['sweep table2-batch-size-smal --dry-run', /no such file/],
  ['bench --set batch.size=4', /--set batch\.size=4: .*\n.*use --batch/],
  ['bench --convolutions winograd --set engine.convolutions=direct', /use --convolutions/],
  ['bench --normalizer gorup', /--normalizer: .*did you mean group/s],
  ['bench --convolutions fast', /--convolutions: .*direct.*winograd/s],
  [`import ${weights} --from torchvision`, /PyTorch's format.*\n.*pth_to_safetensors/],
  [
    'export results/table2-batch-size-smal',
    /no such run or file; did you mean results.table2-batch-size-small\?/,
  ],
  ['run configs/quickstart.yaml --out README.md', /--out <dir>.*It is a file, not a folder/],
  ['table table2-batch-size-small --out results', /--out <file>.*It is a folder, not a file/],
  ['plot table2-batch-size-small --out=', /--out <dir>.*must not be empty/],
  [
    'table results/table8-motion results/detection-shapes',
    /table8-motion is judged by error, detection-shapes by mask AP.*\n.*a table of each/,
  ],
  ['table results', /judged by .*\n.*name a folder in it/],
  ['data verify coco --annotations nope.json --images src', /--annotations: there is no nope\.json/],
  ['data verify coco --annotations package.json --images src', new RegExp(`${root}package\\.json: `)],
  ['data fetch coco', /coco: its images are not downloaded/],
  [`table ${mistyped}`, /mistyped\.yaml: metric: the task has no metric maskAp; did you mean maskAP\?/],
  [`sweep ${mistyped} --dry-run`, /mistyped\.yaml:\d+:\d+: the task has no metric maskAp/],
  [`sweep ${bareAxis} --dry-run`, /axes\.batch\.size has to be a list of one value or more, not 4/],
  [`export ${finished}`, /no checkpoint here.*\n.*train it again/],
];
for (const [args, expected] of cases) {
  test(args.replace(scratch, ''), () => {
    const { status, stderr } = spawnSync(process.execPath, [gnbench, ...args.split(' ')], {
      encoding: 'utf8',
      cwd: root,
    });
    assert.equal(status, 2, stderr);
    assert.match(stderr, expected);
  });
}

test('table, plot and report print JSON with --json', () => {
  const json = (args: string) =>
    JSON.parse(
      spawnSync(process.execPath, [gnbench, ...args.split(' '), '--json'], { encoding: 'utf8', cwd: root })
        .stdout,
    );
  const out = join(scratch, 'page.html');
  assert.deepEqual(json(`report table2-batch-size-small --out ${out}`), [out]);
  const figures: string[] = json(`plot table2-batch-size-small --out ${scratch}`);
  assert.ok(figures.includes(join(scratch, 'curves.svg')), figures.join());
  assert.equal(json('table table2-batch-size-small').name, 'table2-batch-size-small');
});

test('config show says of a drop of the rate that it never comes', () => {
  const sets = ['--set', 'epochs=3', '--set', 'learningRate.dropAt=[2,30]'];
  const { stdout } = spawnSync(
    process.execPath,
    [gnbench, 'config', 'show', 'configs/resnet-gn-b2.yaml', ...sets],
    { encoding: 'utf8', cwd: root },
  );
  assert.match(stdout, /from epoch 3 \(dropAt 30: never, there are 3 epochs\)/);
});

test('a reader that stops is no failure, a full disk is', { skip: !existsSync('/dev/full') }, () => {
  const through = (pipe: string) =>
    spawnSync('bash', ['-c', `set -o pipefail; ${process.execPath} ${gnbench} ${pipe}`], {
      encoding: 'utf8',
      cwd: root,
    });
  const show = 'config show configs/imagenet-resnet50-gn-b2.yaml --json';
  assert.deepEqual([through(`${show} | true`).status, through(`${show} | true`).stderr], [0, '']);
  const full = through(`${show} > /dev/full`);
  assert.equal(full.status, 1);
  assert.equal(full.stderr, 'error: stdout: cannot be written (ENOSPC)\n');
});
