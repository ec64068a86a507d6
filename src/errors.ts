/**
 * An error that the user can mend. It is printed as `error: place: message`, the fix on the next line, never with a
 * stack.
 */
export class UserError extends Error {
  override name = 'UserError';
  /** `file:line:column`, or the path or option that is at fault. */
  readonly place?: string;
  /** The way to mend it: a command, or the valid values. */
  readonly fix?: string;
  /** 2 for usage, configuration and input; 1 when a run failed. */
  readonly exitCode: number;

  constructor(
    message: string,
    options: { place?: string; fix?: string; exitCode?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.place = options.place;
    this.fix = options.fix;
    this.exitCode = options.exitCode ?? 2;
  }
}

/** The valid value nearest to a mistyped one, if one is near enough to be worth suggesting. */
export function didYouMean(word: string, valid: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const ranked = valid
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0] && ranked[0].distance <= limit ? ranked[0].candidate : undefined;
}

/** Levenshtein distance, two letters that are swapped being one edit; words over 100 characters are not compared. */
function editDistance(a: string, b: string): number {
  if (a.length > 100 || b.length > 100) return Number.POSITIVE_INFINITY;
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const [row, above] = [[i], rows[i - 1]];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(row[j - 1] + 1, above[j] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
