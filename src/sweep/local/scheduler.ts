export interface SchedulerOptions {
  /** How many runs go on at a time; each has a slot, from 0. */
  jobs: number;
  /** Milliseconds to wait, with nothing else to do, for runs that other sweeps have; without it, until they end. */
  patience?: number;
}

/** The runs of a sweep that wait, in their order, and the slots they run in. It starts nothing and looks at no clock. */
export class Scheduler<Run> {
  readonly #patience: number;
  readonly #jobs: number;
  #freeSlots: number[];
  #waiting: Run[];
  #idleSince?: number;

  constructor(runs: readonly Run[], { jobs, patience = Number.POSITIVE_INFINITY }: SchedulerOptions) {
    this.#waiting = [...runs];
    this.#jobs = jobs;
    this.#freeSlots = Array.from({ length: jobs }, (_, slot) => slot);
    this.#patience = patience;
  }

  /** The runs that have not begun, in the order in which they are to be tried. Those that others have stay among them. */
  get waiting(): readonly Run[] {
    return this.#waiting;
  }

  get hasFreeSlot(): boolean {
    return this.#freeSlots.length > 0;
  }

  /** Takes a run off the list. @returns the lowest free slot */
  begin(run: Run): number {
    this.drop(run);
    const slot = this.#freeSlots.shift();
    if (slot === undefined) throw new RangeError('no slot is free');
    return slot;
  }

  end(slot: number): void {
    this.#freeSlots = [...this.#freeSlots, slot].sort((a, b) => a - b);
  }

  /** Takes a run off the list that needs no more work. */
  drop(run: Run): void {
    this.#waiting = this.#waiting.filter((other) => other !== run);
  }

  /** Puts a run back that another sweep has taken over, ahead of those that have not begun. */
  putBack(run: Run): void {
    this.#waiting = [run, ...this.#waiting];
  }

  /**
   * Notes that no waiting run could be started at `now`, in milliseconds. When that has been so for too long, with
   * nothing running here either, the others are left to the sweeps that have them.
   */
  couldNotStart(now: number): void {
    const idle = this.#freeSlots.length === this.#jobs;
    if (!idle) this.#idleSince = undefined;
    else this.#idleSince ??= now;
    if (this.#idleSince !== undefined && now - this.#idleSince >= this.#patience) this.#waiting = [];
  }
}
