import { UserError } from '../errors.js';

/** The variables that a step updates: each once, since the order of two updates would be left to chance. */
export class UpdatedVariables {
  private readonly names = new Set<string>();

  /** @throws UserError for a variable that is updated already: a mistake in a step's code, or a layer applied twice */
  add(...names: string[]): void {
    for (const name of names) {
      if (this.names.has(name)) {
        const fix = 'combine the two into one, or give a layer that is applied twice two names';
        throw new UserError(`the step updates ${name} twice`, { exitCode: 1, fix });
      }
      this.names.add(name);
    }
  }
}
