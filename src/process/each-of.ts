/** Calls `action` with 0 … count − 1, at most `sideBySide` at a time, until all are done or one has failed. */
export async function eachOf(
  count: number,
  sideBySide: number,
  action: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await action(next++);
  };
  const lanes = Array.from({ length: Math.min(sideBySide, count) }, () =>
    lane().catch((error) => {
      next = count;
      throw error;
    }),
  );
  // Not Promise.all: what is under way is to be over when this returns.
  const failure = (await Promise.allSettled(lanes)).find((lane) => lane.status === 'rejected');
  if (failure) throw failure.reason;
}
