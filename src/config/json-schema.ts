/** `configs/schema.json`, for editors: run directly, this file writes it anew. */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { configSchema } from './schema.js';

export const schemaFile = join(dirname(fileURLToPath(import.meta.url)), '../../configs/schema.json');

/** The JSON Schema (draft 7) of a configuration file, as text. */
export function schemaText(): string {
  const { $schema, ...rest } = z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' });
  return `${JSON.stringify({ $schema, title: 'A gnbench experiment', ...rest }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(schemaFile, schemaText());
