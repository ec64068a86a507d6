/** Words: how values of unknown origin are put into messages, how a shell takes them, and in which order they stand. */

/** Control characters, line breaks and direction marks as escapes, and not too much of it: safe on a terminal. */
export function printable(text: string, limit = 60): string {
  const shown = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return shown.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
}

/** A value as an error names it: `the text "two"`, `-1`, `a mapping`, `nothing`. */
export function inWords(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return `the text "${printable(value, 40)}"`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'number' && !Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : 'infinity';
  return String(value);
}

/** `a, b or c` */
export function anyOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** `a, b, c and 17 more`, when there are more than `most` of them. */
export function listUpTo(words: readonly string[], most = 20): string {
  const left = words.length - most;
  return words.slice(0, most).join(', ') + (left > 0 ? ` and ${left} more` : '');
}

/** `1 image`, `1,024 images` */
export const counted = (count: number, what: string): string =>
  `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`;

/** A word that a shell takes as it is. */
export const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** By code units, not the locale: the same order on every machine. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
