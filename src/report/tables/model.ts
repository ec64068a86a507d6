/** The content of a table, before any format. */
import { mostlyBeforeDrop } from '../../analysis/before-drop.js';
import type { Contrast } from '../../analysis/contrast.js';
import { comparedBaseline, contrastsOf, shownCells } from '../../analysis/contrasts.js';
import { differencesLine, isPaperSetting } from '../../analysis/differences.js';
import { type FewExamples, fewExamples } from '../../analysis/few-examples.js';
import { runsOnOtherData } from '../../analysis/other-data.js';
import { mean, sampleStd } from '../../analysis/statistics.js';
import { type Study, type StudyCell, valuesOf } from '../../analysis/study.js';
import { hasSeveralGroupings, normalizerLabel, valueInWords, varyingPaths } from '../../experiments/label.js';
import { contextOf, normalizerKey } from '../../experiments/setting.js';
import { evaluationsOf, reportedStatistic } from '../../runs/statistics.js';
import type { Metric } from '../../tasks/metric.js';

/** A cell's row: the paper's value and ours, in the metric's unit. */
export interface TableRow {
  key: string;
  label: string;
  published?: number;
  mean?: number;
  /** Sample standard deviation; from 2 seeds on. */
  std?: number;
  /** The values of the completed runs, in the order of their seeds. */
  values: { seed: number; value: number }[];
  /** Ours minus the paper's, where data and model are the paper's. */
  gap?: number;
  planned: number;
  /** Runs that diverged, failed or are not done, in words. */
  remarks: string[];
  /** Seeds whose convolutions are by Winograd's filtering, in a table that has others, too. */
  winogradSeeds: number[];
}

/** The paper's layout: a line for each normalizer, a column for each batch size. */
export interface Matrix {
  batchSizes: number[];
  lines: { label: string; published: (number | undefined)[]; ours: (TableRow | undefined)[] }[];
}

export interface TableModel {
  metric: Metric;
  /** The statistic of each run's values: `the median of the last 5 epochs`, `that of the last evaluation`. */
  statistic: string;
  name: string;
  title: string;
  source?: string;
  matrix?: Matrix;
  rows: TableRow[];
  /** Rows of the baseline's cells that the contrasts use. */
  baselineRows: TableRow[];
  contrasts: Contrast[];
  notPossible: Study['notPossible'];
  strays: string[];
  /** Runs that count, but were trained on other data than the rest. */
  otherData: string[];
  /** The rows' runs that count, by how their convolutions may be computed; whether Winograd's has some in bfloat16. */
  convolutions: { direct: string[]; winograd: string[]; bfloat16: boolean };
  /** Given where a split is so small that it limits what the table can tell. */
  fewExamples?: FewExamples;
  /** Labels of cells whose number is mostly of evaluations before the last drop of the rate. */
  beforeDrop: string[];
  differences: string;
}

export function tableModel(study: Study): TableModel {
  const compared = comparedBaseline(study);
  const shown = shownCells(study);
  const convolutions = byConvolutions(shown);
  const mixes = convolutions.direct.length > 0 && convolutions.winograd.length > 0;
  const rowOf = (cell: StudyCell) => tableRow(cell, mixes);
  const rows = study.cells.map(rowOf);
  const sources = [...new Set(shown.flatMap(({ published }) => published?.source ?? []))];
  return {
    metric: study.metric,
    statistic: statisticInWords(study),
    name: study.name,
    title: study.title,
    source: sources.length > 0 ? sources.join(', ') : undefined,
    matrix: matrixOf(study, rows),
    rows,
    baselineRows: compared.map(rowOf),
    contrasts: contrastsOf(study),
    notPossible: study.notPossible,
    strays: study.strays,
    otherData: runsOnOtherData(study),
    convolutions,
    fewExamples: fewExamples(study),
    beforeDrop: mostlyBeforeDrop(study),
    differences: differencesLine(study),
  };
}

function statisticInWords({ cells }: Study): string {
  const told = cells.map(({ config }) =>
    reportedStatistic(config.model.name) === 'final'
      ? 'that of the last evaluation'
      : `the median of the last 5 ${evaluationsOf(config)}`,
  );
  return [...new Set(told)].join(' or ');
}

function byConvolutions(cells: StudyCell[]): TableModel['convolutions'] {
  const counted = cells.flatMap(({ label, runs }) =>
    runs
      .filter(({ value }) => value !== undefined)
      .map(({ seed, arithmetic }) => ({ ...arithmetic, name: `${label}, seed ${seed}` })),
  );
  const direct = counted.filter(({ convolutions }) => convolutions === 'direct');
  const winograd = counted.filter(({ convolutions }) => convolutions === 'winograd');
  return {
    direct: direct.map(({ name }) => name),
    winograd: winograd.map(({ name }) => name),
    bfloat16: winograd.some(({ precision }) => precision === 'bfloat16'),
  };
}

function tableRow(cell: StudyCell, mixes: boolean): TableRow {
  const values = valuesOf(cell).sort((a, b) => a.seed - b.seed);
  const numbers = values.map(({ value }) => value);
  const average = numbers.length > 0 ? mean(numbers) : undefined;
  const published = cell.published?.value;
  return {
    key: cell.key,
    label: cell.label,
    published,
    mean: average,
    std: sampleStd(numbers),
    values,
    gap:
      average !== undefined && published !== undefined && isPaperSetting(cell)
        ? average - published
        : undefined,
    planned: new Set(cell.runs.map(({ seed }) => seed)).size,
    remarks: cell.runs.flatMap(({ seed, problem }) =>
      problem ? `${cell.label}, seed ${seed}: ${problem}` : [],
    ),
    winogradSeeds: cell.runs
      .filter(
        ({ value, arithmetic }) => mixes && value !== undefined && arithmetic?.convolutions === 'winograd',
      )
      .map(({ seed }) => seed),
  };
}

/** Only for experiments that vary the batch size: a table of one column is a list. */
function matrixOf({ cells }: Study, rows: TableRow[]): Matrix | undefined {
  const batchSizes = [...new Set(cells.map(({ setting }) => setting.batchSize))].sort((a, b) => b - a);
  if (batchSizes.length < 2) return undefined;
  const lineOf = ({ setting }: StudyCell) => normalizerKey(setting) + contextOf(setting);
  const detailed = hasSeveralGroupings(cells);
  const paths = varyingPaths(cells);
  const lines = [...new Set(cells.map(lineOf))].map((line) => {
    const members = cells.filter((cell) => lineOf(cell) === line);
    const at = batchSizes.map((size) => members.find(({ setting }) => setting.batchSize === size));
    const { setting } = members[0];
    const name = normalizerLabel(setting, detailed && setting.normalizer === 'group');
    return {
      label: [name, ...paths.map((path) => valueInWords(members[0], path))].join(', '),
      published: at.map((cell) => cell?.published?.value),
      ours: at.map((cell) => rows.find(({ key }) => key === cell?.key)),
    };
  });
  return { batchSizes, lines };
}
