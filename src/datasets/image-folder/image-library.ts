/** The library that decodes images, sharp: its binary is an optional package, which an installation may lack. */
import type Sharp from 'sharp';
import { UserError } from '../../errors.js';

/** @throws {UserError} when its binary for this system is not there */
export async function imageLibrary(): Promise<typeof Sharp> {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    throw new UserError(
      `the image library sharp has no binary for ${process.platform}-${process.arch} here`,
      {
        place: 'sharp',
        fix: 'install the optional packages too: npm install --include=optional (npm ci without --omit=optional)',
        cause: error,
      },
    );
  }
}
