/** The task: classification, or one of the user's own. */
import { z } from 'zod';

export const taskSchema = z.strictObject({
  module: z
    .string()
    .min(1)
    .max(4096)
    .describe('The ES module that exports the task; relative to the folder of this file, or absolute'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits')
    .optional()
    .describe("The module's content, which the run's id depends on; gnbench writes it down"),
  options: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Anything that the module wants to be told'),
});
