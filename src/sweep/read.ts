import { readFile, stat } from 'node:fs/promises';
import { isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { UserError } from '../errors.js';
import { type ExperimentFile, experimentSchema } from './schema.js';

type Path = readonly PropertyKey[];

/** An experiment as written, with the places of its keys. */
export interface SourceFile {
  file: string;
  content: ExperimentFile;
  /** `file:line:column` of a key, or of the nearest one around it that exists. */
  place(path: Path): string;
  /** The text with everything but this key's value blanked out, so that lines and columns stay. */
  only(path: Path): string;
}

export async function readExperimentFile(file: string): Promise<SourceFile> {
  const size = await stat(file).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );
  if (size === undefined) {
    throw new UserError('no such experiment file', {
      place: file,
      fix: 'experiments are in experiments/*.yaml',
    });
  }
  if (size > 1 << 20) throw new UserError('is over 1 MiB, too large for an experiment', { place: file });
  return parseExperiment(await readFile(file, 'utf8'), file);
}

export function parseExperiment(text: string, file: string): SourceFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) throw new UserError(problem.message, { place: at(problem.pos[0]) });
  const place = (path: Path): string => {
    for (let depth = path.length; depth > 0; depth--) {
      const node = document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) return at(node.range[0]);
    }
    return `${file}:1:1`;
  };
  const parsed = experimentSchema.safeParse(toPlain(document, file));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(`${issue.path.map(String).join('.')}: ${issue.message}`, {
      place: place(issue.path),
    });
  }
  const only = (path: Path) => {
    const node = document.getIn(path, true);
    const range = isNode(node) && !isScalar(node) ? node.range : undefined;
    if (!range) return '';
    const blank = (part: string) => part.replace(/[^\n]/g, ' ');
    return blank(text.slice(0, range[0])) + text.slice(range[0], range[1]);
  };
  return { file, content: parsed.data, place, only };
}

function toPlain(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new UserError((error as Error).message, { place: `${file}:1:1` });
  }
}
