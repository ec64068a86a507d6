import { Lexer } from 'yaml';
import { UserError } from '../errors.js';
import { inWords, printable } from '../terminal/words.js';
import { defaultDrops } from './check-lengths.js';
import { type JsonSchema, jsonSchemaOf, mappingFor, mappings, schemaAt } from './expected.js';
import { configSchema } from './schema.js';
import { mapping, type Path, type Source } from './source.js';
import { maxBytes, readYaml } from './yaml.js';

/**
 * Puts `path=value` assignments over what a file says. The value is YAML, and may be a mapping, which then stands for
 * the whole of what was there. A new `name` drops those keys of the file that the old name had and the new one has
 * not: `normalizer.name=batch` on a file with `groups`. Keys that were themselves assigned always stay, and are found
 * at fault if they don't fit.
 *
 * @throws {UserError} with `--set path` as its place
 */
export function override(source: Source, assignments: readonly string[]): Source {
  if (assignments.length === 0) return source;
  const root = jsonSchemaOf(configSchema);
  return assignments
    .map(parseAssignment)
    .reduce((before, assignment) => assign(before, assignment, root), source);
}

interface Assignment {
  path: Path;
  value: unknown;
  place: string;
}

function parseAssignment(text: string): Assignment {
  const equals = text.indexOf('=');
  const words = (equals < 0 ? text : text.slice(0, equals)).trim();
  const place = `--set ${printable(words)}`.trim();
  const example = 'for example --set batch.size=2';
  if (equals < 0) throw new UserError('an override is path=value', { place, fix: example });
  const path = words.split('.');
  if (path.some((key) => key === ''))
    throw new UserError(`${inWords(words)} is not a key path`, { place, fix: example });
  const source = readValue(text.slice(equals + 1), place);
  return { path: path.map((key) => (/^\d{1,6}$/.test(key) ? Number(key) : key)), value: source.value, place };
}

function readValue(text: string, place: string): Source {
  if (text.trim() === '') throw new UserError('has no value', { place, fix: `write ${place}=VALUE` });
  if (holdsComment(text)) {
    throw new UserError('# begins a comment in YAML: what follows it would be left out', {
      place,
      fix: `put a value with # in quotes of its own: '${place.replace('--set ', '')}="…#…"'`,
    });
  }
  return readYaml(text, { file: '--set', place });
}

/** On a command line nobody writes a comment, but names of folders do have a #. */
const holdsComment = (text: string) =>
  text.length <= maxBytes && [...new Lexer().lex(text)].some((lexeme) => lexeme.startsWith('#'));

function assign(before: Source, { path, value, place }: Assignment, root: JsonSchema): Source {
  // A bare name is a name, also where a mapping stands, and a mapping also where a bare name stands.
  if (typeof value === 'string' && hasName(before, path, root)) {
    return assign(before, { path: [...path, 'name'], value, place }, root);
  }
  const holder = path.slice(0, -1);
  const open = holder.reduce(
    (source, _, depth) => openBareName(source, path.slice(0, depth + 1), root),
    before,
  );
  const next = open.with(path, { value, place });
  const stale =
    path.at(-1) === 'name' ? foreignKeys(open, next, holder, root) : replacedBy(path.join('.'), value);
  return stale
    .map((key) => [...holder, key])
    .filter((key) => next.has(key) && !next.keyAt(key).startsWith('--set '))
    .reduce((kept, key) => kept.without(key), next);
}

/** Puts the mapping that a bare name stands for in its place. */
function openBareName(source: Source, path: Path, root: JsonSchema): Source {
  const bare = source.get(path);
  if (typeof bare !== 'string' || !hasName(source, path, root)) return source;
  return source.with(path, { value: mapping([['name', bare]]), place: source.valueAt(path) });
}

/** Keys that exclude each other: the one that is assigned replaces the file's. */
const alternatives = new Map([
  ['normalizer.groups', ['channelsPerGroup']],
  ['normalizer.channelsPerGroup', ['groups']],
  ['steps', ['epochs']],
  ['epochs', ['steps']],
]);

/** The keys beside an assigned one that have no meaning with it. */
function replacedBy(path: string, value: unknown): readonly string[] {
  if (path === 'learningRate.schedule' && value !== 'step') return Object.keys(defaultDrops);
  return alternatives.get(path) ?? [];
}

function hasName(source: Source, path: Path, root: JsonSchema): boolean {
  const schema = schemaAt(root, path, (inner) => source.get(inner));
  return schema !== undefined && mappings(schema).some(({ properties }) => properties?.name !== undefined);
}

/** The keys that the old name had and the new one has not. */
function foreignKeys(before: Source, after: Source, holder: Path, root: JsonSchema): string[] {
  const schema = schemaAt(root, holder, (inner) => after.get(inner));
  const keys = (source: Source) =>
    Object.keys((schema && mappingFor(schema, source.get(holder))?.properties) ?? {});
  const kept = keys(after);
  return kept.length === 0 ? [] : keys(before).filter((key) => !kept.includes(key));
}
