/**
 * YAML from anywhere, read within bounds: text is lexed and parsed piece by piece, so that depth and length are known
 * before anything recurses, and the tree is then walked here, so that aliases, tags and keys mean only what they
 * should.
 */
import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type YAMLMap,
} from 'yaml';
import { UserError } from '../errors.js';
import { printable } from '../terminal/words.js';
import { type Path, type Place, Source } from './source.js';

/** Files over this are no configuration. */
export const maxBytes = 1 << 20;
/** Flow and block collections within each other; the schemas need five. */
const maxDepth = 32;
/** Size limit, for the text and for the tree with aliases expanded. A configuration has a few hundred. */
const maxLexemes = 10_000;
const maxNodes = 5_000;

const coreTags = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((tag) => `tag:yaml.org,2002:${tag}`),
);

const noTags = 'leave the tag out: plain values are enough';

/**
 * Reads one YAML 1.2 document into plain mappings (without a prototype), lists and scalars.
 *
 * @param file what errors name: `file:line:column`
 * @param place instead of `file:line:column`, for text that is in no file
 * @throws {UserError} for whatever is not plain data: syntax, duplicate or non-text keys, unknown tags, aliases that are
 *   cyclic or expand without end, and text that is too long or nested too deeply
 */
export function readYaml(text: string, { file, place }: { file: string; place?: string }): Source {
  const lines = new LineCounter();
  const at = (offset: number): string => {
    if (place !== undefined) return place;
    const { line, col } = lines.linePos(Math.max(0, Math.min(offset, text.length)));
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  if (text.length > maxBytes) {
    throw new UserError('is over 1 MiB, too large for a configuration', { place: at(0) });
  }
  const document = compose(text, lines, at);
  const walk = new Walk(at);
  const value = document.contents === null ? null : walk.node(document.contents, []);
  if (value === null && isEmpty(document.contents)) throw new UserError('is empty', { place: at(0) });
  return new Source(file, value, walk.places, { key: at(0), value: at(document.contents?.range?.[0] ?? 0) });
}

const isEmpty = (node: Node | null) => node === null || (isScalar(node) && node.source === '');

function compose(text: string, lines: LineCounter, at: (offset: number) => string): Document.Parsed {
  const composer = new Composer({ uniqueKeys: false, merge: false, prettyErrors: false, logLevel: 'silent' });
  const [document, second] = composer.compose(boundedTokens(text, lines, at), true, text.length);
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) {
    const fix = problem.code === 'TAG_RESOLVE_FAILED' ? noTags : undefined;
    throw new UserError(printable(firstLine(problem.message), 200), { place: at(problem.pos[0]), fix });
  }
  if (second) {
    const place = at(second.range[0]);
    throw new UserError('holds a second document', { place, fix: 'put it in a file of its own' });
  }
  if (document.directives?.yaml.version !== '1.2') {
    throw new UserError('YAML 1.2 is expected', { place: at(0), fix: 'leave out the %YAML line' });
  }
  return document;
}

function* boundedTokens(text: string, lines: LineCounter, at: (offset: number) => string) {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    const problem =
      ++lexemes > maxLexemes
        ? 'is too long'
        : parser.stack.length > maxDepth + 2 // beside the collections: the document, and a scalar
          ? 'is nested too deeply'
          : undefined;
    if (problem) throw new UserError(`${problem} for a configuration`, { place: at(parser.offset) });
  }
  yield* parser.end();
}

const firstLine = (message: string) => message.split('\n', 1)[0].replace(/:$/, '');

/** Turns nodes into plain values, and notes where each came from. */
class Walk {
  readonly places = new Map<string, Place>();
  private readonly anchors = new Map<string, Node>();
  /** The nodes around the one at hand: an alias to one of them would have no end. */
  private readonly around = new Set<Node>();
  private nodes = 0;

  constructor(private readonly at: (offset: number) => string) {}

  node(node: Node, path: Path): unknown {
    if (++this.nodes > maxNodes) this.fail(node, `holds more than ${maxNodes} values, aliases expanded`);
    if (isAlias(node)) return this.alias(node, path);
    if (node.tag !== undefined && !coreTags.has(node.tag)) {
      this.fail(
        node,
        `unknown tag ${printable(node.tag.replace('tag:yaml.org,2002:', '!!'))}`,
        'leave the tag out: plain values are enough',
      );
    }
    if ('anchor' in node && node.anchor) this.anchors.set(node.anchor, node);
    if (path.length > maxDepth) this.fail(node, 'is nested too deeply for a configuration');
    if (isScalar(node)) return this.scalar(node);
    this.around.add(node);
    const value = isMap(node)
      ? this.map(node, path)
      : isSeq(node)
        ? this.list(node.items as Node[], path)
        : undefined;
    this.around.delete(node);
    return value;
  }

  private alias(node: Node & { source: string }, path: Path): unknown {
    const target = this.anchors.get(node.source);
    if (!target) this.fail(node, `alias *${printable(node.source)} names no anchor above it`);
    if (this.around.has(target)) this.fail(node, `alias *${printable(node.source)} is part of itself`);
    return this.node(target, path);
  }

  private scalar(node: Node & { value: unknown }): unknown {
    const { value } = node;
    if (value === undefined || typeof value === 'object' || typeof value === 'symbol') return null;
    return value === 0 ? 0 : value; // −0 is 0
  }

  private list(items: Node[], path: Path): unknown[] {
    return items.map((item, index) => {
      const place = this.at(item.range![0]);
      this.places.set(JSON.stringify([...path, index]), { key: place, value: place });
      return this.node(item, [...path, index]);
    });
  }

  private map(map: YAMLMap, path: Path): Record<string, unknown> {
    const plain: Record<string, unknown> = Object.create(null);
    for (const { key, value } of map.items as { key: Node | null; value: Node | null }[]) {
      const word = this.key(key ?? map);
      if (word in plain) {
        const where = path.length === 0 ? '' : ` in ${printable(path.join('.'))}`;
        this.fail(key ?? map, `key "${printable(word)}" is there twice${where}`, 'keep one of them');
      }
      const inner = [...path, word];
      const [keyAt, valueAt] = [key ?? map, isEmpty(value) ? (key ?? map) : value!].map((node) =>
        this.at(node.range![0]),
      );
      this.places.set(JSON.stringify(inner), { key: keyAt, value: valueAt });
      plain[word] = value === null ? null : this.node(value, inner);
    }
    return plain;
  }

  private key(key: Node): string {
    const word = isAlias(key) || isScalar(key) ? this.node(key, []) : null;
    if (word === null || typeof word === 'object') this.fail(key, 'a key has to be a word');
    if (word === '<<') this.fail(key, 'merge keys (<<) are not supported', 'write the keys out');
    return String(word);
  }

  private fail(node: Node, message: string, fix?: string): never {
    throw new UserError(message, { place: this.at(node.range?.[0] ?? 0), fix });
  }
}
