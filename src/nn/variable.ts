/** How a variable starts. */
export type Initial =
  | { kind: 'constant'; value: number }
  /** N(0, std²), untruncated. */
  | { kind: 'normal'; std: number };

export type Role = 'weight' | 'bias' | 'gamma' | 'beta' | 'statistic';

export interface Variable {
  /** `stage1.block0.conv1.weight`: the layer's name and the variable's. */
  name: string;
  shape: number[];
  initial: Initial;
  /** Everything but a statistic is trained. */
  role: Role;
}
