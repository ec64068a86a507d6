/** An error in words for a person, and the exit code that it ends a command with. */
import { UserError } from '../errors.js';
import { causeOf, isSystemError } from '../storage/system-errors.js';

/**
 * An error that the user can mend is said with its place and mend, what the machine refused with its cause; only the rest is a
 * mistake of the program.
 */
export function explain(error: unknown, debugging: boolean): { text: string; exitCode: number } {
  const stack = debugging && error instanceof Error ? `${error.stack}\n` : '';
  if (error instanceof UserError) {
    const { message, place, fix, exitCode } = error;
    return {
      text: `error: ${place ? `${place}: ` : ''}${message}${fix ? `\n  ${fix}` : ''}\n${stack}`,
      exitCode,
    };
  }
  if (isSystemError(error)) {
    const { says, mend } = causeOf(error);
    const place = error.path ?? error.syscall;
    return { text: `error: ${place ? `${place}: ` : ''}${says}\n  ${mend}\n${stack}`, exitCode: 1 };
  }
  if (stack) return { text: `error: ${stack}`, exitCode: 1 };
  const message = error instanceof Error ? error.message : String(error);
  const fix = '  This is a mistake in gnbench. Run it again with --debug for the place.';
  return { text: `error: ${message}\n${fix}\n`, exitCode: 1 };
}
