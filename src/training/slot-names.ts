/** What a run keeps beside a variable of its network, under names of their own: SGD's velocity, a gradient's sum over micro-steps, a running average. */
export const velocityOf = (name: string) => `${name}.velocity`;
export const sumOf = (name: string) => `${name}.sum`;
export const averageOf = (name: string) => `${name}.average`;
