/** In what an experiment's setting is not the paper's: the last line of every table. */
import { lengthInWords } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { examplesOfModel, isDetectorName, isOverClips } from '../config/schema-model.js';
import { count, valueInWords } from '../experiments/label.js';
import { paperSetting, paperVideoSetting, publishedErrors } from '../paper/published.js';
import {
  paperDetectorLongSetting,
  paperDetectorSetting,
  settingOfDetector,
} from '../paper/published-detections.js';
import { classificationError } from '../tasks/metric.js';
import { byText } from '../terminal/words.js';
import { shownCells } from './contrasts.js';
import { properName } from './proper-name.js';
import { type Study, type StudyCell, valuesOf } from './study.js';

/** One phrase for each deviation: `CIFAR-10 instead of ImageNet`, `1 worker instead of 8`. None in the paper's own setting. */
export function differencesFromPaper(study: Study): string[] {
  const { reproduces } = study;
  const cells = shownCells(study);
  const theirSetting = settingOfPaper(cells);
  const { data, workers, learningRate, momentum, weightDecay, inWords } = theirSetting;
  /** Each deviation of the cells from the paper, and the paper's own value. */
  const deviations: [ours: (cell: StudyCell) => string | undefined, theirs?: string][] = [
    [(cell) => dataName(cell, cells), data],
    [({ config }) => subsetOf(config)],
    [({ config }) => beginningOf(config, theirSetting), inWords.beginning],
    [({ setting, config }) => (isPaperModel(setting.model) ? undefined : backboneOf(config)), inWords.model],
    [
      ({ config }) => (theirSetting === paperVideoSetting ? clipInWords(config) : undefined),
      paperVideoSetting.inWords.clip,
    ],
    [headOf, '2fc'],
    [({ config }) => unless(isAsLong(config, theirSetting), lengthInWords(config)), inWords.length],
    [({ setting }) => unless(setting.workers === workers, count(setting.workers, 'worker')), `${workers}`],
    [rateOf, `${learningRate.base} per ${learningRate.per}`],
    [dropsOf, inWords.drops],
    [
      ({ config: { optimizer } }) =>
        unless(optimizer.momentum === momentum, `momentum ${optimizer.momentum}`),
      `${momentum}`,
    ],
    [
      ({ config: { optimizer } }) =>
        unless(optimizer.weightDecay === weightDecay, `weight decay ${optimizer.weightDecay}`),
      `${weightDecay}`,
    ],
    // The code behind the paper's clips and detectors has none there.
    [
      ({ config: { optimizer } }) =>
        unless(theirSetting === paperSetting || !optimizer.decayNormalizer, 'weight decay on γ and β'),
      'none',
    ],
    [(cell) => (reproduces?.table === 3 ? undefined : groupsOf(cell)), `${paperSetting.groups}`],
    [({ config }) => unless(config.precision === 'float32', config.precision), 'float32'],
    [
      ({ config }) => unless(config.evaluate.statistics === 'running', config.evaluate.statistics),
      'running statistics in BN’s evaluation',
    ],
  ];
  const phrases = deviations.flatMap(([phraseOf, theirs]) => {
    const ours = [...new Set(cells.flatMap((cell) => phraseOf(cell) ?? []))].sort(byText).join(' or ');
    if (ours === '') return [];
    return theirs === undefined ? ours : `${ours} instead of ${theirs}`;
  });
  return [...phrases, ...new Set(cells.flatMap(othersOf).sort(byText))];
}

/** `from scratch`: the weights that training begins with, where they are of another kind than the paper's. */
function beginningOf({ init }: Config, theirs: SettingOfPaper): string | undefined {
  if (theirs === paperSetting) return init && 'fine-tuned for classification';
  if (theirs !== paperVideoSetting || init?.inflate) return undefined;
  return init ? 'from the weights of another run over clips' : 'from scratch';
}

const isAsLong = ({ epochs, steps }: Config, theirs: SettingOfPaper): boolean =>
  isOfDetectors(theirs) ? lengths(theirs).includes(steps ?? 0) : epochs === theirs.epochs;

/** `8 frames of 56×56`; undefined where a network sees as much of a video as the paper's. */
function clipInWords({ data }: Config): string | undefined {
  if (!('frames' in data)) return undefined;
  const side = 'resolution' in data ? data.resolution : data.side;
  const isPaper = side === 224 && (data.frames === 32 || data.frames === 64);
  return unless(isPaper, `${data.frames} frames of ${side}×${side}`);
}

/** The keys of the recipe of the paper's detectors, which a classifier has otherwise. */
const isOfDetectorRecipe =
  /^(optimizer\.(nesterov|decayNormalizer|decayBias|frozen|rates\.bias)|learningRate\.warmup\w+|evaluate\.every\w*)$/;

/** All else that is not at its default, which is the paper's: label smoothing, a rate of the head's own, other images, layers, … */
function othersOf(cell: StudyCell): string[] {
  const told =
    /^(learningRate\.(base|per|dropAt|schedule|factor)|optimizer\.(momentum|weightDecay)|evaluate\.statistics)$/;
  const training = Object.keys(cell.setting.others)
    .filter((path) => /^(optimizer|learningRate|normalizer|evaluate)\./.test(path) && !told.test(path))
    // In fine-tuning the paper has none on γ and β either.
    .filter((path) => !(cell.config.init && path === 'optimizer.decayNormalizer'))
    .filter((path) => !(isDetectorName(cell.setting.model) && isOfDetectorRecipe.test(path)));
  return [...training, ...otherImagesOrLayers(cell)].map((path) => valueInWords(cell, path));
}

/** Keys that make images or layers others than the paper's; not those that say which data they are, and where. */
function otherImagesOrLayers({ setting }: StudyCell): string[] {
  const told =
    /^data\.(name|train|val|frames|trainAnnotations|valAnnotations|classes|trainSubset|valSubset|onBroken)$/;
  return (
    Object.keys(setting.others)
      .filter((path) => /^(data|model)\./.test(path) && !told.test(path))
      .filter((path) => !(isOverClips(setting.model) && /^data\.(resolution|side)$/.test(path)))
      // The paper has several, and which of its rows a cell stands beside follows from them.
      .filter((path) => !(isDetectorName(setting.model) && /^model\.(backbone|neck|boxHead)$/.test(path)))
  );
}

/** The setting that cells repeat: Table 8's where all are over clips, Tables 4 to 7's where all are detectors; the longer where all need it. */
export function settingOfPaper(cells: readonly StudyCell[]) {
  if (cells.every(({ setting }) => isDetectorName(setting.model))) {
    const isLong = cells.every(({ config }) => settingOfDetector(config) === paperDetectorLongSetting);
    return isLong ? paperDetectorLongSetting : paperDetectorSetting;
  }
  return cells.every(({ setting }) => isOverClips(setting.model)) ? paperVideoSetting : paperSetting;
}

type SettingOfPaper = ReturnType<typeof settingOfPaper>;
type SettingOfDetectors = ReturnType<typeof settingOfDetector>;
const isOfDetectors = (setting: SettingOfPaper): setting is SettingOfDetectors => 'steps' in setting;
/** The lengths that the paper trains detectors for, in steps. */
const lengths = ({ steps, longSteps }: SettingOfDetectors): number[] => [steps, longSteps, 360_000];

/** Frozen BN in Table 6 has a box head of two dense layers; beside that row another one is another network. */
const headOf = ({ setting, config: { model }, published }: StudyCell): string | undefined =>
  published?.source === 'Table 6' && setting.normalizer === 'frozen-batch' && 'boxHead' in model
    ? unless(model.boxHead === '2fc', `frozen BN with the box head ${model.boxHead}`)
    : undefined;

/** `ResNet-18`: a detector goes by its backbone. */
const backboneOf = ({ model }: Config): string | undefined =>
  'backbone' in model
    ? unless(/^resnet(50|101)$/.test(model.backbone), properName(model.backbone))
    : properName(model.name);

function unless(same: boolean, words: string): string | undefined {
  return same ? undefined : words;
}

/** The line itself, a sentence. */
export function differencesLine(study: Study): string {
  const phrases = differencesFromPaper(study);
  if (phrases.length === 0) return 'The setting is the paper’s.';
  return `Differs from the paper: ${phrases.join('; ')}. So compare differences between cells with the paper’s, not the ${study.metric.name === classificationError.name ? 'errors' : 'values'} themselves.`;
}

/**
 * Says whether a cell's absolute error may be held against the paper's: one of its models, trained on ImageNet's
 * 1,281,167 images, which the curves tell better than a name does, as the paper crops and colours them.
 */
export function isPaperSetting(cell: StudyCell): boolean {
  if (isOverClips(cell.setting.model)) return false; // nobody has Kinetics as it was
  const row = cell.runs.find((run) => valuesOf({ ...cell, runs: [run] }).length > 0)?.rows[0];
  if (!row || !isPaperModel(cell.setting.model) || cell.config.data.name.startsWith('synthetic'))
    return false;
  if (otherImagesOrLayers(cell).length > 0) return false;
  const imagesPerStep = cell.setting.batchSize * cell.setting.workers;
  const lost = 1_281_167 - row.images / row.epoch;
  return lost >= 0 && lost < imagesPerStep;
}

function isPaperModel(model: string): boolean {
  return publishedErrors.some((value) => value.model === model);
}

/** The data that the runs read, as their summaries say; a cell that has not run yet is taken to read what the others with its data did. */
function dataName(cell: StudyCell, cells: readonly StudyCell[]): string | undefined {
  if (isPaperSetting(cell)) return undefined;
  const datasets = cells
    .filter(({ config }) => config.data.name === cell.config.data.name)
    .flatMap(({ runs }) => runs.flatMap(({ summary }) => summary?.dataset ?? []));
  const dataset = cell.runs.find(({ summary }) => summary)?.summary?.dataset ?? datasets[0];
  const note = dataset && !dataset.official ? (dataset.note ?? 'not the official files') : undefined;
  const name = properName(dataset?.name ?? cell.config.data.name);
  if (!note) return name;
  // The note may be a whole label already: "CIFAR-10 (124 of 60,000 images JPEG-approximated)".
  return note.startsWith(name) ? note : `${name} (${note})`;
}

function subsetOf(config: Config): string | undefined {
  const { data } = config;
  const { trainSubset, valSubset } = data as { trainSubset?: number; valSubset?: number };
  const { classes } = data;
  const parts = [
    classes === undefined ? [] : `${classes.length} of its classes`,
    trainSubset === undefined
      ? []
      : `trained on ${trainSubset.toLocaleString('en')} ${examplesOfModel(config.model.name)}`,
    valSubset === undefined ? [] : `validated on ${valSubset.toLocaleString('en')}`,
  ].flat();
  return parts.length > 0 ? listed(parts) : undefined;
}

function rateOf(cell: StudyCell): string | undefined {
  const { base, per } = cell.config.learningRate;
  const { learningRate } = settingOfPaper([cell]);
  return unless(
    base / per === learningRate.base / learningRate.per,
    `rate ${base} per ${per} ${examplesOfModel(cell.config.model.name)} a step`,
  );
}

function dropsOf(cell: StudyCell): string | undefined {
  const { config } = cell;
  const theirs = settingOfPaper([cell]);
  const { dropAt, schedule } = config.learningRate;
  if (schedule !== 'step') return `${schedule} schedule`;
  const fractions = dropAt.map((drop) => (drop < 1 ? drop : drop / (config.steps ?? config.epochs!)));
  const same =
    config.learningRate.factor === theirs.factor &&
    fractions.length === theirs.dropAt.length &&
    fractions.every((fraction, index) => Math.abs(fraction - theirs.dropAt[index]) < 1e-6);
  if (same) return undefined;
  const shares = dropAt.filter((drop) => drop < 1).map((drop) => String(Math.round(drop * 1000) / 10));
  const after = dropAt.filter((drop) => drop >= 1).map(String);
  const when = [
    shares.length > 0 ? `at ${listed(shares)} % of training` : [],
    after.length > 0 ? `after ${unitOfLength(config)}${after.length === 1 ? '' : 's'} ${listed(after)}` : [],
  ].flat();
  const { factor } = config.learningRate;
  const divisor = Math.round(1 / factor);
  const change = Math.abs(divisor * factor - 1) < 1e-9 ? `÷${divisor}` : `×${factor}`;
  return when.length === 0 ? 'a rate that never drops' : `rate ${change} ${when.join(' and ')}`;
}

const unitOfLength = ({ steps }: Config) => (steps === undefined ? 'epoch' : 'step');

function groupsOf({ setting }: StudyCell): string | undefined {
  const { normalizer, groups = paperSetting.groups, channelsPerGroup } = setting;
  if (normalizer !== 'group') return undefined;
  if (channelsPerGroup !== undefined) return `GN with ${count(channelsPerGroup, 'channel')} a group`;
  return unless(groups === paperSetting.groups, `GN with ${count(groups, 'group')}`);
}

function listed(words: string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
