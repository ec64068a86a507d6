/** `configs/schema.json` and `experiments/schema.json`, for editors: run directly, this file writes them anew. */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { configSchema } from '../config/schema.js';
import { experimentSchema } from '../experiments/schema.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The JSON Schemas (draft 7) of both kinds of files, as text, by where they are kept. */
export function schemaFiles(): Map<string, string> {
  return new Map([
    [join(root, 'configs', 'schema.json'), schemaText(configSchema, 'A gnbench configuration')],
    [join(root, 'experiments', 'schema.json'), schemaText(experimentSchema, 'A gnbench experiment')],
  ]);
}

function schemaText(schema: z.ZodType, title: string): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, text] of schemaFiles()) await writeFile(file, text);
}
