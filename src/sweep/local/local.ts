import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../errors.js';
import type { StartableRun } from '../../experiments/experiment.js';
import { listenForStop, type Stop } from '../../process/signals.js';
import { type Lock, lockFolder, lockOwner } from '../../storage/lock.js';
import { type Outcome, recordAttempt } from '../attempts.js';
import type { Display } from '../display.js';
import { settledOutcome } from '../settled.js';
import { claimName } from '../status.js';
import { type RunCommand, type RunningChild, startRun } from './child.js';
import { type Machine, shareOf } from './share.js';

export interface LocalOptions<R extends StartableRun> {
  jobs: number;
  machine: Machine;
  command: RunCommand;
  /** The snapshotted config that a run is started with. */
  configOf(run: R): string;
  /** Passed on to each run. */
  flags: readonly string[];
  failFast: boolean;
  display: Display;
  /**
   * How long to wait for runs that somebody else has when there is nothing else to do, in milliseconds; to their end
   * when left out.
   */
  patience?: number;
  /** How long until a run that somebody else has is looked at again, in milliseconds. */
  pollEvery?: number;
}

export interface LocalResult<R> {
  /** How each run stands that came to an end, here, earlier or elsewhere; runs that nobody came to are missing. */
  outcomes: Map<R, Outcome>;
  /** 130, 143 or 75 when the sweep was told to stop. */
  stopped?: number;
}

/**
 * Does the runs in their order, `jobs` at a time, each in a process of its own. A run is claimed first, so several
 * sweeps can work on one folder; what another one has is waited for, and taken up if that one dies.
 */
export async function sweepLocally<R extends StartableRun>(
  runs: readonly R[],
  options: LocalOptions<R>,
): Promise<LocalResult<R>> {
  return new LocalSweep(runs, options).work();
}

class LocalSweep<R extends StartableRun> {
  private readonly outcomes = new Map<R, Outcome>();
  private readonly children = new Map<R, RunningChild>();
  private readonly running = new Set<Promise<void>>();
  private readonly freeSlots: number[];
  /** Not begun, in their order. */
  private queue: R[];
  /** Found in somebody else's hands. */
  private elsewhere: R[] = [];
  private stop?: Stop;
  private anyFailed = false;
  private idleSince?: number;
  /** An error of the sweep itself. */
  private problem?: unknown;
  private readonly begunAt = new Date().toISOString();

  constructor(
    runs: readonly R[],
    private readonly options: LocalOptions<R>,
  ) {
    this.queue = [...runs];
    this.freeSlots = Array.from({ length: options.jobs }, (_, slot) => slot);
  }

  async work(): Promise<LocalResult<R>> {
    const dispose = listenForStop({
      first: (stop) => {
        const { signal } = stop;
        this.stop = stop;
        this.options.display.note(
          `${signal}: saving what runs (${this.children.size}); once more to leave at once`,
        );
        this.relay(signal);
      },
      second: () => {
        for (const child of this.children.values()) child.kill();
      },
    });
    try {
      for (;;) {
        while (!this.stopping() && this.freeSlots.length > 0 && (await this.startNext()));
        const done = this.stopping() || this.queue.length + this.elsewhere.length === 0;
        if (done && this.running.size === 0) break;
        await this.nextEvent();
      }
    } catch (error) {
      this.giveUp(error);
    } finally {
      await Promise.all(this.running);
      dispose();
    }
    if (this.problem !== undefined) throw this.problem;
    return { outcomes: this.outcomes, stopped: this.stop?.exitCode };
  }

  private stopping(): boolean {
    const failedFast = this.anyFailed && this.options.failFast;
    return this.stop !== undefined || this.problem !== undefined || failedFast;
  }

  /** A run ends, or it is time to look again at what others have. */
  private async nextEvent(): Promise<void> {
    const timer = new AbortController();
    const pause = sleep(this.options.pollEvery ?? 1000, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([pause, ...this.running]);
    timer.abort();
  }

  /** Starts the next run that can be had; false when there is none for now. */
  private async startNext(): Promise<boolean> {
    // Runs that other sweeps held when their turn came stay ahead of the rest.
    const candidates = [...this.elsewhere, ...this.queue];
    // A run that is lost to another sweep while this one looks around is added to them.
    [this.elsewhere, this.queue] = [[], []];
    const busy: R[] = [];
    for (const [index, run] of candidates.entries()) {
      const claim = await this.claim(run);
      if (claim === 'busy') busy.push(run);
      if (claim === 'busy' || claim === 'settled') continue;
      this.elsewhere.unshift(...busy);
      this.queue = candidates.slice(index + 1);
      this.start(run, claim);
      return true;
    }
    if (!this.impatient()) this.elsewhere.unshift(...busy);
    return false;
  }

  /** True when the sweep has had nothing of its own to run for too long. */
  private impatient(): boolean {
    if (this.running.size > 0) this.idleSince = undefined;
    else this.idleSince ??= performance.now();
    return (
      this.idleSince !== undefined &&
      performance.now() - this.idleSince >= (this.options.patience ?? Infinity)
    );
  }

  /** The run's claim, when there is something left to do and nobody else is at it. */
  private async claim(run: R): Promise<Lock | 'busy' | 'settled'> {
    if (this.settle(run)) return 'settled';
    const folder = dirname(run.folder);
    if (lockOwner(run.folder) || lockOwner(folder, claimName(run))) return 'busy';
    mkdirSync(folder, { recursive: true });
    let claim: Lock;
    try {
      claim = await lockFolder(folder, claimName(run));
    } catch (error) {
      // Another sweep was quicker.
      if (error instanceof UserError && lockOwner(folder, claimName(run))) return 'busy';
      throw error;
    }
    // Since it was looked at it may have been brought to an end; or a killed sweep's child may still be saving.
    const settled = this.settle(run);
    if (!settled && !lockOwner(run.folder)) return claim;
    await claim.release();
    return settled ? 'settled' : 'busy';
  }

  /** Notes a run that needs no more work from this sweep. */
  private settle(run: R): boolean {
    const outcome = settledOutcome(run, this.begunAt);
    if (!outcome) return false;
    this.outcomes.set(run, outcome);
    this.options.display.settled(run);
    return true;
  }

  private start(run: R, claim: Lock): void {
    const slot = this.freeSlots.shift()!;
    const ended = this.oneRun(run, slot, claim)
      .catch((error) => this.giveUp(error))
      .finally(async () => {
        await claim.release();
        this.children.delete(run);
        this.running.delete(ended);
        this.freeSlots.push(slot);
        this.freeSlots.sort((a, b) => a - b);
      });
    this.running.add(ended);
  }

  private async oneRun(run: R, slot: number, claim: Lock): Promise<void> {
    const { options } = this;
    // Told to stop while the run was being claimed.
    if (this.stopping()) return;
    const finish = recordAttempt(run.folder);
    const config = options.configOf(run);
    const child = startRun(run, {
      command: options.command,
      config,
      share: shareOf(options.machine, options.jobs, slot, { folder: run.folder, config }),
      flags: options.flags,
      onProgress: (progress) => options.display.progress(run, progress),
    });
    this.children.set(run, child);
    options.display.started(run);
    const outcome = await child.ended;
    if (!claim.held()) {
      // While this machine slept another sweep took the run over, and tells how it ends.
      options.display.ended(run, { kind: 'interrupted', message: 'another process has taken it over' });
      this.elsewhere.push(run);
      return;
    }
    finish(outcome);
    this.outcomes.set(run, outcome);
    options.display.ended(run, outcome);
    if (outcome.kind === 'completed' || outcome.kind === 'interrupted') return;
    if (outcome.kind === 'disk full') return this.giveUp(diskFull(run, outcome));
    if (options.failFast && !this.anyFailed) this.relay('SIGTERM');
    this.anyFailed = true;
  }

  /** Not a run's fault but the sweep's own, a full disk for one: what runs is asked to save, and nothing is lost. */
  private giveUp(problem: unknown): void {
    if (this.problem !== undefined) return;
    this.problem = problem;
    this.relay('SIGTERM');
  }

  private relay(signal: NodeJS.Signals): void {
    for (const child of this.children.values()) child.stop(signal);
  }
}

/** Every other run would fail at it too. */
const diskFull = (run: StartableRun, { message }: Outcome) =>
  new UserError(`the disk is full: ${message}`, {
    place: run.folder,
    fix: 'free some space, then start the sweep again: it goes on from the checkpoints',
    exitCode: 1,
  });
