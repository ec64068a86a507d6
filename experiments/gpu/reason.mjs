/** Why something went wrong, in one line. */

/** A fault that a part has found: it has failed, even if its time was over as well. */
export class Finding extends Error {}

/**
 * The sentence in which a child process says why it ended: gnbench's `error: …`, else what Node or TensorFlow died of, else
 * the last line; and how it ended where it said nothing at all.
 */
export function reasonOf({ stderr, message, code, signal }) {
  if (stderr === undefined && message) return short(message);
  const lines = String(stderr ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const kinds = [/^error: /, /^\w*Error\b.*: /, /Check failed/, /error/i];
  const telling = kinds.map((kind) => lines.find((line) => kind.test(line))).find(Boolean) ?? lines.at(-1);
  if (telling) return short(telling.replace(/^error: /, ''));
  if (signal) return `it was ended by ${signal} and said nothing`;
  if (Number.isInteger(code)) return `it ended with exit code ${code} and said nothing`;
  return short(message ?? 'it said nothing');
}

const short = (text) => text.split('\n')[0].slice(0, 300);
