/** A process that provisions the engine of the wheel pinned in its argument, for tests of what several do at once. */
import type { UserError } from '../../../errors.js';
import { provide } from '../index.js';
import { wheelEngine } from '../wheel.js';

try {
  const engine = await provide(await wheelEngine('cpu', [JSON.parse(process.argv[2])]), {});
  process.stdout.write(`${engine.binding}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = (error as UserError).exitCode ?? 99;
}
