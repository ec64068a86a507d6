import { existsSync } from 'node:fs';
import { assessClaims } from '../claims/claims.js';
import { renderClaimsText } from '../claims/text.js';
import { UserError } from '../errors.js';

/**
 * `gnbench claims`: each of the paper's claims with its tests, their cost, and the evidence so far. @returns the exit
 * code
 */
export async function claims(options: { json?: boolean } = {}): Promise<number> {
  if (!existsSync('experiments')) {
    throw new UserError('there is no such folder here', {
      place: 'experiments',
      fix: 'run it from a clone of gnbench: what tests the claims is there',
    });
  }
  const assessed = await assessClaims();
  process.stdout.write(options.json ? `${JSON.stringify(assessed, null, 2)}\n` : renderClaimsText(assessed));
  return 0;
}
