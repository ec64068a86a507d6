/** The command line: names, flags and exit codes. A command's module is loaded when it is called. */
import { type Stats, statSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { explain } from './commands/explain.js';
import { version } from './version.js';

const collect = (value: string, previous: string[]) => [...previous, value];
const wholeNumber = (value: string) => {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be a positive integer.');
  return number;
};

/** Says before any work what a path cannot be; one that is not there yet is fine. */
const place = (wrong: (found: Stats) => string | false) => (path: string) => {
  // An empty shell variable would be the working folder.
  if (path.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch {
    // It cannot be looked at: whoever writes there will say why.
  }
  const problem = found && wrong(found);
  if (problem) throw new InvalidArgumentError(problem);
  return path;
};
const folder = place((found) => !found.isDirectory() && 'It is a file, not a folder.');
const file = place((found) => found.isDirectory() && 'It is a folder, not a file.');

const set = () =>
  new Option('--set <path=value>', 'override a key of the configuration; repeatable')
    .argParser(collect)
    .default([], '');
const data = () =>
  new Option('--data <dir>', 'the folder of the data sets (default: $GNBENCH_DATA, then the cache)');
/** PyTorch's word for `--batch`. */
const batchSize = <Value>(argument: string, parse: (value: string) => Value) =>
  new Option(`--batch-size ${argument}`, 'the same as --batch').argParser(parse).conflicts('batch');
const json = () => new Option('--json', 'print JSON to stdout, and nothing else there');
const quiet = () => new Option('--quiet', 'no progress');
const debug = () => new Option('--debug', "stack traces, and TensorFlow's own log");
/** The same for commands that do without TensorFlow. */
const stacks = () => new Option('--debug', 'stack traces');

const program = new Command('gnbench')
  .description('Reproduce, check and extend Group Normalization (Wu & He, 2018).')
  .version(version)
  .showHelpAfterError('(gnbench --help lists the commands)')
  .configureOutput({ outputError: (text, write) => write(text) })
  .exitOverride();

/** Sets the exit code from what a command returns; it is loaded only now. */
const action =
  <Arguments extends unknown[]>(command: () => Promise<(...args: Arguments) => Promise<number>>) =>
  async (...args: Arguments) => {
    process.exitCode = await (await command())(...args);
  };

program
  .command('run <config>')
  .alias('train')
  .description('train the network of a configuration; curves go to a CSV file')
  .addOption(set())
  .option('--out <dir>', 'output folder (default: results/runs/<name>-<id>)', folder)
  .addOption(data())
  .addOption(new Option('--same-data-in <dir>', 'a sweep says so: its results folder').hideHelp())
  .addOption(new Option('--resume', "go on where the folder's run was stopped").conflicts('force'))
  .option('--force', "start over: delete the folder's run")
  .option('--eager', 'operation by operation instead of as one graph: slow, for debugging')
  .option(
    '--deterministic',
    'one thread and deterministic kernels: the same bits whatever the number of cores',
  )
  .option('--tensorboard', 'also write event files for TensorBoard')
  .addOption(json())
  .addOption(quiet())
  .addOption(debug())
  .action(action(async () => (await import('./commands/run.js')).run));

program
  .command('eval [config]')
  .description(
    "the error of given weights on a configuration's validation images, or the AP of given detections",
  )
  .option('--weights <file>', "a .safetensors file (gnbench's own names), or a run's folder")
  .option('--detections <file>', "in COCO's results format, in place of a configuration and weights")
  .option('--annotations <file>', "with --detections: the truth, in the form of COCO's instances_*.json")
  .option('--by <kinds>', 'with --detections: box, mask or box,mask', 'box')
  .addOption(set())
  .addOption(data())
  .option(
    '--batch <n>',
    'images at once; no effect on the result (on a GPU, none beyond rounding)',
    wholeNumber,
  )
  .addOption(batchSize('<n>', wholeNumber))
  .addOption(json())
  .addOption(quiet())
  .addOption(debug())
  .action(action(async () => (await import('./commands/eval.js')).evaluateCommand));

program
  .command('predict <run> <images...>')
  .description("find objects in images with a run's detector, and draw them into copies of the images")
  .requiredOption('--out <dir>', 'the folder of the pictures', folder)
  .option('--min-score <score>', 'the least score of what is drawn and listed (default: 0.5)')
  .addOption(json())
  .addOption(quiet())
  .addOption(debug())
  .action(action(async () => (await import('./commands/detection/predict.js')).predict));

program
  .command('export <run>')
  .description("the weights of a run's newest checkpoint as one .safetensors file")
  .option('--out <file>', "the file they go to (default: weights.safetensors in the run's folder)", file)
  .addOption(
    new Option('--to <library>', 'the library whose names and layouts it gets')
      .choices(['gnbench', 'torchvision', 'timm'])
      .default('gnbench'),
  )
  .option('--force', 'replace the file')
  .addOption(debug())
  .action(action(async () => (await import('./commands/export.js')).exportWeights));
program
  .command('import <file>')
  .description("a .safetensors file of torchvision or timm as gnbench's own")
  .addOption(
    new Option('--from <library>', 'the library whose names and layouts it has')
      .choices(['torchvision', 'timm'])
      .makeOptionMandatory(),
  )
  .option('--model <name>', "the library's name of the model (default: the one that the tensors fit)")
  .option('--out <file>', 'the file it goes to (default: <file>.gnbench.safetensors beside it)', file)
  .option('--force', 'replace the file')
  .addOption(debug())
  .action(action(async () => (await import('./commands/import.js')).importWeights));

const config = program.command('config').description('look at a configuration without running it');
config
  .command('show <config>')
  .description('print it resolved: rate, steps, layers, parameters, memory')
  .addOption(set())
  .addOption(data())
  .addOption(json())
  .addOption(stacks())
  .action(action(async () => (await import('./commands/config.js')).configShow));
config
  .command('validate <configs...>')
  .description('say whether each is sound; data and weights are not looked for')
  .addOption(set())
  .addOption(json())
  .addOption(stacks())
  .action(action(async () => (await import('./commands/config.js')).configValidate));

program
  .command('sweep <experiments...>')
  .description('run everything of an experiment that has not been run yet')
  .option('--jobs <n>', 'runs at a time (default: one a core, or one a GPU)', wholeNumber)
  .addOption(
    new Option('--launcher <launcher>', 'start runs here or as a Slurm job array').choices([
      'local',
      'slurm',
    ]),
  )
  .option('--dry-run', 'print each cell with its rate, steps and estimated time')
  .option('--fail-fast', 'stop at the first run that fails')
  .option('--mixed-convolutions', 'let runs of a cell differ in engine.convolutions; tables mark them')
  .addOption(set())
  .option('--slurm <key=value>', "override the experiment's slurm keys; repeatable", collect, [])
  .addOption(data())
  .option('--out <dir>', 'parent of the results folders (default: results)', folder)
  .option('--tensorboard', 'write event files for TensorBoard too')
  .addOption(json())
  .addOption(quiet())
  .addOption(debug())
  .action(action(async () => (await import('./commands/sweep.js')).sweep));

program
  .command('status <experiment>')
  .description(
    'list the runs of an experiment: done, running, queued, interrupted, failed, diverged or waiting',
  )
  .addOption(set())
  .option('--out <dir>', 'parent of the results folders (default: results)', folder)
  .addOption(json())
  .option('--watch', 'repeat until no run is left')
  .addOption(stacks())
  .action(action(async () => (await import('./commands/status.js')).status));

program
  .command('task <list> <index>', { hidden: true })
  .description('one run of a sweep, inside a Slurm job array')
  .action(action(async () => (await import('./commands/task.js')).task));

program
  .command('table <targets...>')
  .description(
    'a table from the curves of an experiment or of folders of runs: paper | ours, and the contrasts',
  )
  .option('--format <format>', 'markdown, csv, wide, latex or json', 'markdown')
  .addOption(json().conflicts('format'))
  .option('--out <file>', 'write it to this file instead of stdout', file)
  .addOption(stacks())
  .action(action(async () => (await import('./commands/table.js')).table));

program
  .command('plot <targets...>')
  .description('figures as SVG and PNG: error against batch size, curves against epochs')
  .option('--out <dir>', 'the folder they go to (default: figures/ beside the results)', folder)
  .addOption(json())
  .addOption(stacks())
  .action(action(async () => (await import('./commands/plot.js')).plot));

program
  .command('report [targets...]')
  .description(
    'one self-contained HTML page: tables, figures, configurations, environment (default: all in results/)',
  )
  .option('--out <file>', 'the file it goes to (default: beside the results)', file)
  .addOption(json())
  .addOption(stacks())
  .action(action(async () => (await import('./commands/report.js')).report));

program
  .command('claims')
  .description(
    "the paper's claims one by one: the experiments that test each, their cost, the evidence so far",
  )
  .addOption(json())
  .addOption(stacks())
  .action(action(async () => (await import('./commands/claims.js')).claims));

const list = (value: string) => value.split(',').map((item) => item.trim());
program
  .command('bench')
  .description('time the training step, beside the same model without normalizers')
  .option(
    '--batch <sizes>',
    'batch sizes, with commas between',
    (value: string) => list(value).map(wholeNumber),
    [2, 4, 8, 32, 128],
  )
  .addOption(batchSize('<sizes>', (value) => list(value).map(wholeNumber)))
  .option('--normalizer <names>', 'normalizers, with commas between', list, ['batch', 'group', 'none'])
  .option('--model <name>', 'the model', 'resnet20')
  .option('--precision <formats>', 'float32, tf32, bfloat16', list, ['float32'])
  .option('--convolutions <kinds>', 'direct, winograd', list, ['direct'])
  .option(
    '--steps <n>',
    'steps to measure at least, after a warm-up of as many as take a second',
    wholeNumber,
    60,
  )
  .option('--eager', 'operation by operation instead of as one graph')
  .option('--profile', "also where a step's time goes, by kinds of work and by layers")
  .addOption(set())
  .addOption(
    new Option('--format <format>', 'the format of the output; html: the profiles as a page')
      .choices(['table', 'csv', 'json', 'html'])
      .default('table'),
  )
  .addOption(json())
  .addOption(quiet())
  .addOption(stacks())
  .action(action(async () => (await import('./commands/bench.js')).bench));

const dataCommand = program.command('data').description('the data sets');
dataCommand
  .command('fetch <name>')
  .description('download it into the cache, unless it is there')
  .addOption(data())
  .addOption(new Option('--size <size>', 'imagenette: the shorter side').choices(['160', '320', 'full']))
  .addOption(quiet())
  .addOption(stacks())
  .action(action(async () => (await import('./commands/data.js')).dataFetch));
dataCommand
  .command('show')
  .description(
    'draw an image with its boxes and masks: as it was annotated, or with --config as a step sees it',
  )
  .option('--annotations <file>', "in the form of COCO's instances_*.json")
  .option('--images <dir>', 'the folder of the images that it names')
  .option('--config <file>', 'a configuration instead: scaled and on its canvas, as in training')
  .addOption(set())
  .addOption(data())
  .option(
    '--epoch <n>',
    'with --config: mirrored as in that epoch of a run with the seed of the configuration',
  )
  .requiredOption('--image <id>', "the image's id; with --config its number in the training split, from 0")
  .requiredOption('--out <file>', 'a .png, .jpg, .webp, .tif, .gif or .avif file', file)
  .addOption(stacks())
  .action(action(async () => (await import('./commands/data-show.js')).dataShow));
dataCommand
  .command('verify <name>')
  .description('read every file; say whether it is sound, and whether it is the published one')
  .option('--annotations <file>', "coco: in the form of COCO's instances_*.json")
  .option('--images <dir>', 'coco: the folder of the images that it names')
  .addOption(data())
  .addOption(json())
  .addOption(stacks())
  .action(action(async () => (await import('./commands/data.js')).dataVerify));

program
  .command('setup')
  .description('provide the engine ahead of the first run')
  .addOption(new Option('--variant <variant>', 'the build of libtensorflow').choices(['auto', 'cpu', 'cuda']))
  .addOption(new Option('--source <source>', 'the source of the engine').choices(['wheel', 'stock']))
  .option('--force', 'provide it anew')
  .option('--ffmpeg', 'provide FFmpeg too, which decodes clips')
  .addOption(quiet())
  .addOption(debug())
  .action(action(async () => (await import('./commands/setup.js')).setup));

program
  .command('doctor')
  .description('check the installation: what is there, what is missing, and how to mend it')
  .addOption(data())
  .addOption(json())
  .addOption(debug())
  .action(
    action(async () => {
      const { doctor } = await import('./commands/doctor.js');
      return ({ data: dataFolder, ...options }: { data?: string }) => doctor({ ...options, dataFolder });
    }),
  );

// The reader of the output may stop (| head), and its terminal may close, which must not end a training before it has
// saved. Output lost for another reason must.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || (code === 'EIO' && stream.isTTY)) return;
    if (stream === process.stdout) process.stderr.write(`error: stdout: cannot be written (${code})\n`);
    process.exit(1);
  });
}

async function main(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Prints an error for a person. @returns the exit code */
function report(error: unknown): number {
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')) {
    return (error as unknown as { exitCode: number }).exitCode === 0 ? 0 : 2; // commander has printed it
  }
  const { text, exitCode } = explain(error, process.argv.includes('--debug'));
  process.stderr.write(text);
  return exitCode;
}

await main();
