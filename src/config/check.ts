import type { z } from 'zod';
import { didYouMean, UserError } from '../errors.js';
import { inWords, printable } from '../terminal/words.js';
import {
  inWordsExpected,
  type JsonSchema,
  jsonSchemaOf,
  mappingFor,
  mappings,
  schemaAt,
  wordsOf,
} from './expected.js';
import type { Path, Source } from './source.js';

/**
 * Checks a source against a schema and fills in the schema's defaults.
 *
 * @throws {UserError} for the first thing that is wrong: an unknown key before anything else, for a misspelt key is also
 *   a missing one; with its place, the valid keys or values, and the likely one
 */
export function check<Schema extends z.ZodType>(schema: Schema, source: Source): z.output<Schema> {
  const parsed = schema.safeParse(source.value, { reportInput: false });
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(innermost);
  const unknown = issues.find(({ code }) => code === 'unrecognized_keys');
  throw explain(unknown ?? issues[0], source, jsonSchemaOf(schema));
}

type Issue = z.core.$ZodIssue;

/** Picks, among the findings on a union's branches, the one on the branch that was meant: the value has its type. */
function innermost(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const atRoot = ({ path, code }: Issue) => path.length === 0 && /^invalid_(type|value)$/.test(code);
  const meant = issue.errors.find((branch) => branch.length > 0 && !branch.some(atRoot));
  if (!meant) return issue;
  const inner = meant.find(({ code }) => code === 'unrecognized_keys') ?? meant[0];
  return innermost({ ...inner, path: [...issue.path, ...inner.path] });
}

function explain(issue: Issue, source: Source, root: JsonSchema): UserError {
  const path = issue.path as Path;
  const valueAt = (path: Path) => source.get(path);
  const schema = schemaAt(root, path, valueAt);
  if (issue.code === 'unrecognized_keys') {
    return unknownKey([...path, issue.keys[0]], source, root, schema && mappingFor(schema, valueAt(path)));
  }
  const misspelt = source.has(path) ? undefined : foreignKey(path.slice(0, -1), source, root);
  if (misspelt) return misspelt;
  const what = path.length === 0 ? 'a configuration' : inPath(path);
  if (issue.code === 'custom' || issue.code === 'invalid_format') {
    const verb = issue.code === 'custom' ? '' : 'has to be ';
    return new UserError(`${what} ${verb}${issue.message}`, { place: source.valueAt(path) });
  }
  const expected = schema ? inWordsExpected(schema) : 'something else';
  const words = schema ? wordsOf(schema) : [];
  if (!source.has(path)) {
    return new UserError(`${what} is missing`, { place: source.valueAt(path), fix: `set it to ${expected}` });
  }
  const value = source.get(path);
  const found = value === null ? 'empty' : inWords(value);
  return new UserError(`${what} has to be ${expected}, not ${found}${guess(nearest(value, words, schema))}`, {
    place: source.valueAt(path),
  });
}

const guess = (near: string | undefined) => (near === undefined ? '' : `; did you mean ${near}?`);

function nearest(value: unknown, words: string[], schema: JsonSchema | undefined): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return didYouMean(value, words) ?? words.find((word) => word.startsWith(value)) ?? truth(value, schema);
}

/** YAML 1.1 had more words for them. */
function truth(word: string, schema: JsonSchema | undefined): string | undefined {
  if (schema?.type !== 'boolean') return undefined;
  if (/^(y|yes|on)$/i.test(word)) return 'true';
  return /^(n|no|off)$/i.test(word) ? 'false' : undefined;
}

function unknownKey(path: Path, source: Source, root: JsonSchema, holder: JsonSchema | undefined): UserError {
  const key = String(path.at(-1));
  const valid = Object.keys(holder?.properties ?? {});
  const around = source.get(path.slice(0, -1)) as { name?: unknown };
  const kind =
    valid.includes('name') && typeof around.name === 'string' && path.length > 1
      ? ` of "${printable(around.name)}"`
      : '';
  const where = path.length > 1 ? ` in ${inPath(path.slice(0, -1))}${kind}` : '';
  const near = didYouMean(key, valid) ?? elsewhere(key, root);
  return new UserError(`unknown key "${printable(key)}"${where}${guess(near)}`, {
    place: source.keyAt(path),
    fix: `valid keys: ${valid.join(', ')}`,
  });
}

/**
 * Finds a key that belongs to no variant. Keys go unchecked while the name is missing, and such a key may be the
 * misspelt name.
 */
function foreignKey(holder: Path, source: Source, root: JsonSchema): UserError | undefined {
  const schema = schemaAt(root, holder, (path) => source.get(path));
  const properties = schema && Object.assign({}, ...mappings(schema).map(({ properties }) => properties));
  const written = source.get(holder);
  if (!properties || typeof written !== 'object' || written === null) return undefined;
  const key = Object.keys(written).find((key) => !Object.hasOwn(properties, key));
  return key === undefined ? undefined : unknownKey([...holder, key], source, root, { properties });
}

/** The path of a key of this name in another mapping, if there is one. */
function elsewhere(key: string, { properties = {} }: JsonSchema): string | undefined {
  const holder = Object.entries(properties).find(([, inner]) => {
    return typeof inner === 'object' && Object.hasOwn(inner.properties ?? {}, key);
  });
  return holder && `${holder[0]}.${key}`;
}

/** `learningRate.dropAt[0]` for the first entry, which `--set learningRate.dropAt.0` sets. */
function inPath(path: Path): string {
  const words = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${printable(key)}`));
  return words.join('').replace(/^\./, '');
}
