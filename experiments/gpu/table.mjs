/** The findings of check.mjs, as a table to read and as one to compute with; both are made from its JSON file alone. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Every row of every part, its columns in the order of their first use. */
export function csv({ parts }) {
  const rows = parts.flatMap(({ part, rows: own }) => own.map((row) => flat({ part, ...row })));
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const cell = (value) =>
    /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : (value ?? '');
  return [columns, ...rows.map((row) => columns.map((name) => row[name]))]
    .map((line) => `${line.map(cell).join(',')}\n`)
    .join('');
}

function flat(row, prefix = '') {
  return Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.entries(flat(value, `${prefix}${name}.`))
        : [[`${prefix}${name}`, value]],
    ),
  );
}

const grid = (head, rows) =>
  [head, head.map(() => '---'), ...rows]
    .map((line) => `| ${line.map((cell) => String(cell ?? '').replaceAll('|', '\\|')).join(' | ')} |\n`)
    .join('');

export function markdown({ name, device, parts }) {
  const summary = grid(
    ['part', 'state', 's', 'summary'],
    parts.map((part) => [part.part, part.state, part.seconds, part.summary]),
  );
  const found = (part) => parts.find((one) => one.part === part)?.rows ?? [];
  return [
    `# gpu-${name}: what \`experiments/gpu/check.mjs\` found (device: ${device})\n\n`,
    summary,
    parityTable(found('parity')),
    speedTable(found('bench')),
  ].join('');
}

function parityTable(rows) {
  if (rows.length === 0) return '';
  const exact = (value) => value.toExponential(1);
  return `\n## Parity\n\nDifferences from the CPU (definitions, uncompiled, float32), of the way that the variables have come from their start.\n\n${grid(
    ['model', 'normalizer', 'precision', 'compiler', 'after 1 update', 'accepted', 'after all', 'loss'],
    rows.map((row) => [
      row.model,
      row.normalizer,
      row.precision,
      row.compiler ?? 'xla',
      ...(row.error
        ? [`failed: ${row.error}`, '', '', '']
        : [exact(row.oneUpdate), row.accepted, `${exact(row.allUpdates)} (${row.steps})`, exact(row.loss)]),
    ]),
  )}`;
}

/** gnbench beside PyTorch's fastest setting of the same step. */
function speedTable(rows) {
  if (rows.length === 0) return '';
  const key = (row) => [row.model, row.normalizer, row.workers, row.batch, row.precision].join();
  const own = rows.filter(({ framework }) => framework === 'gnbench');
  const lines = own.map((row) => {
    const others = rows.filter((other) => other.framework === 'pytorch' && key(other) === key(row));
    const best = others.reduce(
      (a, b) => ((b.imagesPerSecond ?? 0) > (a?.imagesPerSecond ?? 0) ? b : a),
      undefined,
    );
    const ratio = best && row.imagesPerSecond ? (row.imagesPerSecond / best.imagesPerSecond).toFixed(2) : '';
    return [
      row.model,
      row.normalizer,
      row.workers === 1 ? row.batch : `${row.workers}×${row.batch}`,
      row.precision,
      row.setting ?? 'xla',
      row.error ? `failed: ${row.error}` : Math.round(row.imagesPerSecond),
      row.stepMs?.median.toFixed(2) ?? '',
      best ? Math.round(best.imagesPerSecond) : others.length > 0 ? `failed: ${others[0].error}` : '',
      best?.setting ?? '',
      ratio,
    ];
  });
  const head = [
    'model',
    'normalizer',
    'batch',
    'precision',
    'compiler',
    'images/s',
    'ms a step',
    'PyTorch',
    'its setting',
    'ratio',
  ];
  return `\n## Speed\n\nImages/s in training; PyTorch's fastest setting of the same step, measured in turn.\n\n${grid(head, lines)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(markdown(JSON.parse(await readFile(process.argv[2], 'utf8'))));
}
