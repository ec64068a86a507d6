import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { schemaFiles } from './json-schema.js';

test('the schemas that are kept are current', async () => {
  for (const [file, text] of schemaFiles()) {
    assert.ok((await readFile(file, 'utf8')) === text, `write ${file} anew: npm run schema`);
  }
});

test('every key has a description, and no other key is allowed', () => {
  const visit = (schema: Record<string, unknown>, path: string): void => {
    // A mapping without properties has keys of the user's: optimizer.rates.
    if (schema.type === 'object' && schema.properties) assert.equal(schema.additionalProperties, false, path);
    for (const [key, inner] of Object.entries((schema.properties ?? {}) as Record<string, typeof schema>)) {
      const obvious = ['name', 'fromTrain'].includes(key) && path !== '';
      assert.ok(obvious || inner.description, `${path}.${key}`);
      visit(inner, `${path}.${key}`);
    }
    const branches = (schema.anyOf ?? schema.oneOf ?? []) as Record<string, unknown>[];
    for (const branch of branches) visit(branch, path);
  };
  for (const text of schemaFiles().values()) visit(JSON.parse(text), '');
});

test('the words of other trainers lead to the keys: a search in the schema finds them', () => {
  const text = [...schemaFiles().values()].join('');
  const words =
    'lr batch_size gradAccumSteps milestones gamma warmup_epochs lr_scheduler weight_decay label_smoothing ' +
    'ema_decay freeze lr_multipliers max_epochs val_split pretrained num_threads color_jitter onDecodeError';
  for (const word of words.split(' ')) assert.match(text, new RegExp(`\\b${word}\\b`), word);
});

test('every shipped file names its schema for editors, and a configuration its own command', async () => {
  for (const file of (await readdir('experiments')).filter((name) => name.endsWith('.yaml'))) {
    const text = await readFile(`experiments/${file}`, 'utf8');
    assert.equal(text.split('\n')[0], '# yaml-language-server: $schema=./schema.json', file);
  }
  const files = (await readdir('configs')).filter((file) => file.endsWith('.yaml'));
  assert.ok(files.length >= 7);
  for (const file of files) {
    const text = await readFile(`configs/${file}`, 'utf8');
    assert.equal(text.split('\n')[0], '# yaml-language-server: $schema=./schema.json', file);
    assert.match(text, new RegExp(`^#   npx gnbench run configs/${file}$`, 'm'), file);
  }
});
