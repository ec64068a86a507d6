/** The measurements of `compare.mjs` as CSV and as a table in Markdown. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { stringify } from 'csv-stringify/sync';

const identity = ['framework', 'version', 'setting', 'threads', 'interopThreads'];
const cell = ['normalizer', 'batch', 'precision'];

/** Every measurement, a row each with the processor; round 0 is the qualification of the peers' settings. */
export function csv(rows) {
  const columns = [
    ...identity,
    ...cell,
    'round',
    'imagesPerSecond',
    'medianMs',
    'q1Ms',
    'q3Ms',
    'disturbance',
    'processor',
  ];
  const processor = machine();
  const flat = rows.map(({ stepMs, ...row }) => ({
    ...row,
    processor,
    imagesPerSecond: row.imagesPerSecond.toFixed(1),
    medianMs: stepMs.median.toFixed(3),
    q1Ms: stepMs.q1.toFixed(3),
    q3Ms: stepMs.q3.toFixed(3),
  }));
  return stringify(flat, { header: true, columns });
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function groups(rows, names) {
  const found = new Map();
  for (const row of rows) {
    const name = names.map((column) => row[column] ?? '').join('|');
    found.set(name, [...(found.get(name) ?? []), row]);
  }
  return [...found.values()];
}

/** A cell's rounds: images a second of gnbench and of the peer whose median is highest, and the median ratio. */
function compareCell(rows) {
  const contestants = groups(rows, identity);
  const speed = (contestant) => median(contestant.map((row) => row.imagesPerSecond));
  const ofOurs = (setting) =>
    contestants.find(([row]) => row.framework === 'gnbench' && row.setting === setting);
  const ours = ofOurs('direct');
  const peers = contestants.filter(([row]) => row.framework !== 'gnbench');
  const best = peers.reduce((a, b) => (speed(b) > speed(a) ? b : a));
  const against = (contestant) => {
    const rounds = contestant.map((row) => [row, best.find((other) => other.round === row.round)]);
    const ratios = rounds.filter(([, other]) => other).map(([a, b]) => a.imagesPerSecond / b.imagesPerSecond);
    return { speed: speed(contestant), ratio: median(ratios) };
  };
  const winograd = ofOurs('winograd');
  return {
    direct: against(ours),
    winograd: winograd && against(winograd),
    theirs: speed(best),
    peer: best[0],
  };
}

/** The processor by name, its units, cores and memory. */
export function machine() {
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  const units = ['avx2', 'avx512f', 'avx512_bf16', 'amx_bf16'].filter((flag) => flags.includes(flag));
  const cpu = (field) =>
    new RegExp(`^${field}\\s*: (.*)$`, 'm').exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  const kind = `family ${cpu('cpu family')} model ${cpu('model')}`;
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus()[0].model.trim()} (${kind}; ${units.join(', ')}), ${availableParallelism()} cores, ${memory} GiB`;
}

function revision() {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
}

/** Three of them. */
const digits = (speed) => speed.toFixed(speed < 10 ? 2 : speed < 100 ? 1 : 0);

/** gnbench against the best peer in every cell, with what was measured, where and when. */
export function markdown(rows, { model, resolution, workers, finalists, settings }) {
  const isOverClips = /^(i3d|c2d)-/.test(model);
  const about =
    model === 'resnet20'
      ? 'ResNet-20 with projection shortcuts, 32×32 images'
      : isOverClips
        ? `${model}, clips of 8 frames of ${resolution}×${resolution} pixels, 8 classes`
        : `${model}, ${resolution}×${resolution} images, 1000 classes, gnbench's in ${workers} workers`;
  const finals = rows.filter((row) => row.round > 0);
  const busiest = (measured) => Math.max(0, ...measured.map((row) => row.disturbance ?? 0));
  const chosen = rows.filter((row) => row.round === 0);
  const [whileMeasured, whileChosen] = [busiest(finals), busiest(chosen)];
  const tried = settings.replaceAll(',', ', ');
  const withWinograd = finals.some((row) => row.setting === 'winograd');
  const versions = [...new Set(rows.map((row) => [row.framework, row.version].filter(Boolean).join(' ')))];
  const lines = [
    '# gnbench beside PyTorch and Keras',
    '',
    `${about}: forward, backward and SGD (Nesterov 0.9, weight decay 1e-4),`,
    `${isOverClips ? 'clips' : 'images'} a second: the median step of each round, and of the rounds the median. The peer is the fastest in that cell`,
    chosen.length > 0
      ? `of each peer's ${finalists === '1' ? 'setting that was' : 'two settings that were'} fastest in a brief first round, of ${tried}.`
      : `of ${tried}.`,
    '',
    `- Machine: ${machine()}`,
    `- Date: ${new Date().toISOString().slice(0, 10)}; gnbench at ${revision()}; ${versions.join(', ')}; Node ${process.versions.node}`,
    `- Cores that other processes kept busy while a peer was measured: ${whileMeasured} at most${whileMeasured > 0.1 ? ': **too many, measure again**' : ''}`,
    ...(chosen.length > 0
      ? [
          `- While the peers' settings were chosen: ${whileChosen} at most${whileChosen > 0.1 ? ', so that a faster one may have been dropped' : ''}`,
        ]
      : []),
    '',
    `| precision | normalizer | batch | gnbench | best peer | its setting | ratio |${withWinograd ? ' Winograd | ratio |' : ''}`,
    `|---|---|---|---|---|---|---|${withWinograd ? '---|---|' : ''}`,
  ];
  for (const group of groups(finals, ['precision', 'normalizer', 'batch'])) {
    const { direct, winograd, theirs, peer } = compareCell(group);
    const threads = `${peer.threads} thread${peer.threads === 1 ? '' : 's'}`;
    const { precision, normalizer, batch } = group[0];
    lines.push(
      `| ${precision} | ${normalizer} | ${batch} | ${digits(direct.speed)} | ${digits(theirs)} ` +
        `| ${peer.framework} ${peer.setting}, ${threads} | ${direct.ratio.toFixed(2)} |` +
        (winograd ? ` ${digits(winograd.speed)} | ${winograd.ratio.toFixed(2)} |` : ''),
    );
  }
  return `${lines.join('\n')}\n`;
}
