import { Document, isMap, isSeq, visit } from 'yaml';
import type { Config } from './schema.js';

/** A configuration as YAML, a line a key of the outermost mapping; reading it gives the same configuration. */
export function printConfig(config: Config): string {
  const document = new Document(config, { aliasDuplicateObjects: false });
  visit(document, {
    Pair(_, { value }) {
      if (isMap(value) || isSeq(value)) value.flow = true;
    },
    Scalar(_, scalar) {
      const { value } = scalar;
      if (typeof value === 'number' && value > 0 && value < 1e-3) scalar.format = 'EXP'; // 1e-5, not 0.00001
    },
  });
  return document.toString({ lineWidth: 0 });
}
