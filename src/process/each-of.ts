/**
 * Calls `action` with 0 … count − 1, at most `sideBySide` at a time, until all are done or one has failed.
 *
 * @returns the results in the order of the numbers, not in that in which they came
 * @throws what the lowest failing number threw. Numbers are given out in their order and what is under way is waited
 *   for, so that this is the same failure each time, whichever came first.
 */
export async function eachOf<T>(
  count: number,
  sideBySide: number,
  action: (index: number) => Promise<T>,
): Promise<T[]> {
  const results = new Array<T>(count);
  let failure: { index: number; error: unknown } | undefined;
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const index = next++;
      try {
        results[index] = await action(index);
      } catch (error) {
        next = count;
        if (!failure || index < failure.index) failure = { index, error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(sideBySide, count) }, lane));
  if (failure) throw failure.error;
  return results;
}
