import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawSyntheticVideo } from '../datasets/video/synthetic-video.js';
import { sourceOf } from '../input/dataset-source.js';
import { type Answer, answerOf, parseAnswers, printAnswers } from '../tasks/answers.js';
import { drawClipSheets } from './clip-sheets.js';

const dataset = drawSyntheticVideo({
  name: 'synthetic-video',
  frames: 10,
  side: 16,
  validation: 'test',
  trainSubset: 8,
  valSubset: 24,
  frameOrder: 'shown',
});
const { labels } = dataset.validation;
const clips = { source: sourceOf(dataset, 'validation'), labels, classNames: dataset.classNames };

const captions = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
const images = (svg: string) =>
  [...svg.matchAll(/<image [^>]*href="([^"]*)"/g)].map(([, address]) => address);

test('a clip of each class, and without answers nothing else', async () => {
  const sheets = await drawClipSheets(clips);
  assert.deepEqual(Object.keys(sheets), ['frames.svg']);
  assert.deepEqual(captions(sheets['frames.svg']), [...dataset.classNames!]);
  const drawn = images(sheets['frames.svg']);
  assert.equal(new Set(drawn).size, 8);
  for (const address of drawn) assert.match(address, /^data:image\/jpeg;base64,\/9j/);
});

test('the mistakes begin with the one that was least expected, and no more than eight are shown', async () => {
  const answers: Answer[] = Array.from(labels, (label, example) => ({
    example,
    label,
    answer: example < 4 ? label : (label + 1) % 8,
    ofLabel: example < 4 ? 0.99 : (40 - example) / 100,
    ofAnswer: 0.5 + example / 100,
  }));
  const paths = Array.from(labels, (_, example) => `<b>/${example}&.mp4`);
  const { 'mistakes.svg': sheet } = await drawClipSheets({ ...clips, paths }, answers);
  const shown = captions(sheet);
  assert.equal(shown.length, 8);
  const { classNames = [] } = dataset;
  const [own, taken] = [classNames[labels[23]], classNames[(labels[23] + 1) % 8]];
  assert.equal(shown[0], `${own}, taken for ${taken} (73 %) · &lt;b&gt;/23&amp;.mp4`);
  assert.match(shown[7], /\/16&amp;/);
  const right = answers.map((answer) => ({ ...answer, answer: answer.label }));
  assert.deepEqual(Object.keys(await drawClipSheets(clips, right)), ['frames.svg']);
});

test('a classifier’s answers have the softmax’s probabilities, and are read as they were written', () => {
  const answers = [
    answerOf(Float32Array.of(0, Math.log(3), 0), 0, 2),
    answerOf(Float32Array.of(1000, 0, 0), 1, 0),
  ];
  assert.deepEqual(
    answers.map(({ answer, ofLabel, ofAnswer }) => [answer, ofLabel.toFixed(4), ofAnswer.toFixed(4)]),
    [
      [1, '0.2000', '0.6000'],
      [0, '1.0000', '1.0000'],
    ],
  );
  const rounded = answers.map((each) => ({
    ...each,
    ofLabel: Number(each.ofLabel.toFixed(6)),
    ofAnswer: Number(each.ofAnswer.toFixed(6)),
  }));
  assert.deepEqual(parseAnswers(printAnswers(answers)), rounded);
});
