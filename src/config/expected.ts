/**
 * Describes in words the values that a schema takes. It reads the JSON Schema that editors get, so that both say the
 * same.
 */
import { z } from 'zod';
import { anyOf } from '../terminal/words.js';
import type { Path } from './source.js';

export type JsonSchema = z.core.JSONSchema.JSONSchema;

const known = new WeakMap<z.ZodType, JsonSchema>();

export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const made =
    known.get(schema) ?? z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' });
  known.set(schema, made as JsonSchema);
  return made as JsonSchema;
}

/** All that may stand for a schema: it alone, or the branches of a union, of unions too. */
function branches(schema: JsonSchema): JsonSchema[] {
  const union = schema.anyOf ?? schema.oneOf;
  return union ? union.flatMap((branch) => branches(branch as JsonSchema)) : [schema];
}

/** The part of a schema that a path leads to. Where a `name` decides, `valueAt` tells which it is. */
export function schemaAt(
  root: JsonSchema,
  path: Path,
  valueAt: (path: Path) => unknown,
): JsonSchema | undefined {
  let schema = root;
  for (const [depth, key] of path.entries()) {
    const inner =
      typeof key === 'number' ? listItems(schema) : memberOf(schema, key, valueAt(path.slice(0, depth)));
    if (typeof inner !== 'object') return undefined;
    schema = inner as JsonSchema;
  }
  return schema;
}

const listItems = (schema: JsonSchema) => branches(schema).find(({ type }) => type === 'array')?.items;

/** A file's keys may be those that every object has. */
const own = (properties: JsonSchema['properties'], key: string) =>
  properties && Object.hasOwn(properties, key) ? properties[key] : undefined;

function memberOf(schema: JsonSchema, key: string, holder: unknown) {
  const mapping = mappingFor(schema, holder);
  if (mapping) return own(mapping.properties, key) ?? mapping.additionalProperties;
  // No branch has this name, so any branch's would do.
  return key === 'name'
    ? { anyOf: mappings(schema).map(({ properties }) => properties?.name ?? {}) }
    : undefined;
}

/** The branches for mappings. */
export const mappings = (schema: JsonSchema): JsonSchema[] =>
  branches(schema).filter(({ type }) => type === 'object');

/** The branch for mappings; of several the one whose `name` is the value's. */
export function mappingFor(schema: JsonSchema, value: unknown): JsonSchema | undefined {
  const candidates = mappings(schema);
  if (candidates.length < 2) return candidates[0];
  const name = typeof value === 'object' && value !== null ? (value as { name?: unknown }).name : undefined;
  return candidates.find(({ properties }) => {
    return typeof name === 'string' && wordsOf((properties?.name ?? {}) as JsonSchema).includes(name);
  });
}

/** The texts that a schema lists. */
export function wordsOf(schema: JsonSchema): string[] {
  const words = branches(schema).flatMap(
    ({ enum: list, const: only }) => list ?? (only === undefined ? [] : [only]),
  );
  return [...new Set(words.filter((word) => typeof word === 'string'))];
}

/**
 * `a whole number, 1 to 65536`, `true or false`, `a list, each a number above 0`, `one of step, cosine or constant`.
 */
export function inWordsExpected(schema: JsonSchema): string {
  const words = wordsOf(schema);
  const texts = words.length > 1 ? [`one of ${anyOf(words)}`] : words;
  const others = branches(schema)
    .filter((branch) => branch.enum === undefined && branch.const === undefined)
    .map(one);
  return [...new Set([...texts, ...others])].join(', or ');
}

function one(schema: JsonSchema): string {
  switch (schema.type) {
    case 'integer':
      return `a whole number${range(schema)}`;
    case 'number':
      return `a number${range(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return listInWords(schema);
    case 'object':
      return mappingInWords(schema);
    default:
      return 'text';
  }
}

function listInWords({ items, minItems = 0 }: JsonSchema): string {
  const each = (items ?? {}) as JsonSchema;
  if (Object.keys(each).length > 0) return `a list, each ${inWordsExpected(each)}`;
  return minItems > 0 ? 'a list of one value or more' : 'a list';
}

function mappingInWords({ properties = {}, required = [] }: JsonSchema): string {
  if (required.length > 0) return `a mapping with ${required.map((key) => `"${key}"`).join(' and ')}`;
  const keys = Object.keys(properties);
  return keys.length > 0 ? `a mapping with any of ${keys.join(', ')}` : 'a mapping';
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  // The bounds that every safe integer has are not worth a word.
  const bounds = [minimum, maximum].map((limit) =>
    Math.abs(limit ?? Infinity) < Number.MAX_SAFE_INTEGER ? limit : undefined,
  );
  const [from, to] = bounds;
  if (from !== undefined && to !== undefined) return ` from ${from} to ${to}`;
  const low =
    from !== undefined ? `at least ${from}` : exclusiveMinimum !== undefined && `above ${exclusiveMinimum}`;
  const high =
    to !== undefined ? `at most ${to}` : exclusiveMaximum !== undefined && `below ${exclusiveMaximum}`;
  const limits = [low, high].filter(Boolean);
  return limits.length > 0 ? ` ${limits.join(' and ')}` : '';
}
