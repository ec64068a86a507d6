import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cellSlug } from './cell-name.js';
import { pointLabel } from './label.js';

test('names a cell by its values, the normalizer first', () => {
  const cases: [Record<string, unknown>, string, string][] = [
    [{ 'batch.size': 2, normalizer: 'batch' }, 'bn-b2', 'BN, batch 2'],
    [{ normalizer: { name: 'group', groups: 8 }, 'batch.workers': 8 }, 'gn-g8-w8', 'GN, 8 groups, 8 workers'],
    [{ normalizer: 'none' }, 'none', 'no norm'],
    [{ 'normalizer.groups': 1 }, 'g1', '1 group'],
    [{ 'normalizer.channelsPerGroup': 16 }, 'c16', '16 channels a group'],
    [{ precision: 'bfloat16', 'model.name': 'resnet56' }, 'bfloat16-resnet56', 'bfloat16, resnet56'],
    [{ 'optimizer.weightDecay': 1e-4 }, 'weight-decay-0.0001', 'weightDecay 0.0001'],
    [{ 'learningRate.dropAt': [10, 20] }, 'drop-at-10-20', 'dropAt [10,20]'],
    [{ 'data.augment': false }, 'augment-false', 'augment false'],
    [{ normalizer: 'valueOf', 'a.b': 'toString' }, 'valueof-b-tostring', 'valueOf, b toString'],
  ];
  for (const [axes, slug, label] of cases)
    assert.deepEqual([cellSlug(axes), pointLabel(axes)], [slug, label]);
});

test('whatever the values hold, the folder’s name is one plain word, and there is a label', () => {
  const paths = fc.constantFrom(
    'a.b',
    'normalizer',
    'batch.size',
    'task',
    'optimizer.frozen',
    'optimizer.rates.head',
  );
  // A value that calls something toString cannot be turned into text by JavaScript.
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom([{ toString: false }], { name: { toString: 1 } }));
  fc.assert(
    fc.property(fc.dictionary(paths, values), (axes) => {
      assert.match(cellSlug(axes), /^[a-z0-9][a-z0-9.-]{0,79}$/);
      assert.equal(typeof pointLabel(axes), 'string');
    }),
  );
});
