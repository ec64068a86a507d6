/** The marks of true objects and of the candidates that are matched with them. */

/** The kinds of entries in a list of true objects. */
export const TruthKind = { none: 0, object: 1, crowd: 2 } as const;

/** The marks of a candidate that is no object's. */
export const Match = { background: -1, ignored: -2 } as const;
