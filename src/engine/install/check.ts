/** One line of `gnbench doctor`. */
export interface Check {
  name: string;
  state: 'found' | 'missing';
  detail: string;
  /** The command that mends it. */
  fix?: string;
  /** `gnbench run` cannot work as long as it is missing. */
  blocks: boolean;
}

export const found = (name: string, detail: string): Check => ({
  name,
  state: 'found',
  detail,
  blocks: false,
});

export const missing = (name: string, detail: string, fix: string, blocks: boolean): Check => ({
  name,
  state: 'missing',
  detail,
  fix,
  blocks,
});
