/** Runs that were trained on other data than the rest, though their configurations ask for the same. */
import { differingData } from '../runs/same-data.js';
import { listUpTo } from '../terminal/words.js';
import { groupBy } from './group-by.js';
import type { Study } from './study.js';

/** A line for each such run: which it is, which run it differs from, and in which files. Only runs that count are held. */
export function runsOnOtherData({ cells, baseline }: Study): string[] {
  const counted = [...cells, ...baseline].flatMap(({ label, config, runs }) =>
    runs.flatMap(({ seed, data, value }) =>
      data && value !== undefined
        ? [{ name: `${label}, seed ${seed}`, asked: JSON.stringify(config.data), data }]
        : [],
    ),
  );
  return [...groupBy(counted, ({ asked }) => asked).values()].flatMap(([first, ...others]) =>
    others.flatMap(({ name, data }) => {
      const differing = differingData(first.data, data);
      return differing.length === 0 ? [] : `${name}, differs from ${first.name} in ${listUpTo(differing, 5)}`;
    }),
  );
}
