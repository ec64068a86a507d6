import { isCollection, parseDocument } from 'yaml';
import { check } from '../config/check.js';
import { readText } from '../config/load.js';
import type { Path } from '../config/source.js';
import { readYaml } from '../config/yaml.js';
import { UserError } from '../errors.js';
import { type ExperimentFile, experimentSchema } from './schema.js';

/** An experiment as written, with the places of its keys. */
export interface SourceFile {
  file: string;
  content: ExperimentFile;
  /** `file:line:column` of a value, or of what would hold it. */
  place(path: Path): string;
  /** The text with everything but this mapping blanked out, so that lines and columns stay. */
  only(path: Path): string;
}

/** @throws UserError with the place of what is wrong */
export async function readExperimentFile(file: string): Promise<SourceFile> {
  return parseExperiment(await readText(file, 'experiments/*.yaml'), file);
}

export function parseExperiment(text: string, file: string): SourceFile {
  const source = readYaml(text, { file });
  if (source.has(['model']) && !source.has(['axes'])) {
    throw new UserError('this is a configuration, not an experiment', {
      place: file,
      fix: `run it with gnbench run ${file}`,
    });
  }
  const content = check(experimentSchema, source);
  const only = (path: Path) => {
    const node = parseDocument(text).getIn(path, true);
    const [start, end] = (isCollection(node) && node.range) || [0, 0];
    return text.slice(0, start).replace(/[^\n]/g, ' ') + text.slice(start, end);
  };
  return { file, content, place: (path) => source.valueAt(path), only };
}
