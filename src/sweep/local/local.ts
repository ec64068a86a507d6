import { dirname } from 'node:path';
import { UserError } from '../../errors.js';
import type { StartableRun } from '../../experiments/experiment.js';
import { listenForStop, type Stop } from '../../process/signals.js';
import { makeFolders } from '../../storage/files.js';
import { type Lock, LockTaken, lockFolder, lockOwner } from '../../storage/lock.js';
import { type AttemptResult, finalResult, recordAttempt } from '../attempts.js';
import type { Display } from '../display.js';
import { claimName } from '../status.js';
import { type RunCommand, type RunningChild, startRun } from './child.js';
import { Scheduler } from './scheduler.js';
import { type Machine, resourceSlice } from './share.js';

export interface LocalOptions<R extends StartableRun> {
  jobs: number;
  machine: Machine;
  command: RunCommand;
  /** The snapshotted config that a run is started with. */
  configOf(run: R): string;
  /** Passed on to each run. */
  flags: readonly string[];
  failFast: boolean;
  /** The run whose weights a run begins with: it has to end first. */
  predecessorOf?(run: R): R | undefined;
  display: Display;
  /** Milliseconds to wait, with nothing else to do, for runs that other sweeps have; without it, until they end. */
  patience?: number;
  /** Milliseconds until a run that another sweep has is looked at again. */
  pollEvery?: number;
}

export interface LocalResult<R> {
  /** The result of each run that came to an end, here, earlier or elsewhere; runs that were not tried are missing. */
  outcomes: Map<R, AttemptResult>;
  /** The exit code 130, 143 or 75 when the sweep was told to stop. */
  stopped?: number;
}

/**
 * Starts the runs in their order, `jobs` at a time, each in a process of its own. A run is claimed first, so several
 * sweeps can work on one folder; a run that another sweep has is waited for, and taken up if that sweep dies.
 */
export async function sweepLocally<R extends StartableRun>(
  runs: readonly R[],
  options: LocalOptions<R>,
): Promise<LocalResult<R>> {
  return new LocalSweep(runs, options).work();
}

/** The effects of a sweep: claims, processes and signals. The scheduler knows what is to be tried next. */
class LocalSweep<R extends StartableRun> {
  private readonly scheduler: Scheduler<R>;
  private readonly outcomes = new Map<R, AttemptResult>();
  private readonly children = new Map<R, RunningChild>();
  private readonly running = new Set<Promise<void>>();
  /** Ends the pause in which nothing is to do. */
  private wake = () => {};
  private readonly begunAt = new Date().toISOString();
  private stop?: Stop;
  private anyFailed = false;
  /** An error of the sweep itself. */
  private problem?: unknown;

  constructor(
    runs: readonly R[],
    private readonly options: LocalOptions<R>,
  ) {
    this.scheduler = new Scheduler(runs, options);
  }

  async work(): Promise<LocalResult<R>> {
    const { scheduler } = this;
    const dispose = listenForStop({
      first: (stop) => {
        this.stop = stop;
        this.options.display.note(
          `${stop.signal}: saving what runs (${this.children.size}); once more to leave at once`,
        );
        // A child has no terminal, and ignores SIGHUP.
        this.relay(stop.signal === 'SIGHUP' ? 'SIGTERM' : stop.signal);
      },
      second: () => {
        for (const child of this.children.values()) child.kill();
      },
    });
    try {
      for (;;) {
        let started = true;
        while (started && !this.stopping() && scheduler.hasFreeSlot) started = await this.startNext();
        const nothingLeft = this.stopping() || scheduler.waiting.length === 0;
        if (nothingLeft && this.running.size === 0) break;
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

  /** Waits until a run ends, or until it is time to look again at the runs that others have. */
  private async nextEvent(): Promise<void> {
    // Not a race of the runs' own promises: each look at one that lasts for days would stay in memory as long as that.
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.options.pollEvery ?? 1000);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Starts the first waiting run that can be claimed. @returns false when there is none for now */
  private async startNext(): Promise<boolean> {
    const { scheduler } = this;
    for (const run of scheduler.waiting) {
      const claim = await this.claim(run);
      if (claim === 'done') scheduler.drop(run);
      if (claim === 'done' || claim === 'busy') continue;
      this.start(run, claim, scheduler.begin(run));
      return true;
    }
    scheduler.couldNotStart(performance.now());
    return false;
  }

  /** Claims a run, unless it needs no more work or another sweep has it. */
  private async claim(run: R): Promise<Lock | 'busy' | 'done'> {
    if (this.isDone(run)) return 'done';
    const predecessor = this.options.predecessorOf?.(run);
    if (predecessor && this.outcomes.get(predecessor)?.kind !== 'completed') {
      if (this.children.has(predecessor) || this.scheduler.waiting.includes(predecessor)) return 'busy';
      this.options.display.note(
        `${run.cell.label}, seed ${run.seed}: left out, the run that it begins with did not complete`,
      );
      return 'done';
    }
    const folder = dirname(run.folder);
    if (lockOwner(run.folder) || lockOwner(folder, claimName(run))) return 'busy';
    makeFolders(folder);
    let claim: Lock;
    try {
      claim = await lockFolder(folder, claimName(run));
    } catch (error) {
      // Another sweep was quicker, or is just taking the claim of one that died.
      if (error instanceof LockTaken) return 'busy';
      throw error;
    }
    // Since the first look another sweep may have finished it, or the child of a killed sweep may still be saving.
    const done = this.isDone(run);
    if (!done && !lockOwner(run.folder)) return claim;
    await claim.release();
    return done ? 'done' : 'busy';
  }

  /** True for a run that needs no more work from this sweep; its result is noted. */
  private isDone(run: R): boolean {
    const outcome = finalResult(run, this.begunAt);
    if (!outcome) return false;
    this.outcomes.set(run, outcome);
    this.options.display.alreadyDone(run, outcome);
    return true;
  }

  private start(run: R, claim: Lock, slot: number): void {
    const ended = this.oneRun(run, slot, claim)
      .catch((error) => this.giveUp(error))
      .finally(async () => {
        await claim.release();
        this.children.delete(run);
        this.running.delete(ended);
        this.scheduler.end(slot);
        this.wake();
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
      resources: resourceSlice(options.machine, options.jobs, slot, { folder: run.folder, config }),
      flags: options.flags,
      onProgress: (progress) => options.display.progress(run, progress),
    });
    this.children.set(run, child);
    options.display.started(run);
    const outcome = await child.ended;
    if (!claim.held()) {
      // While this machine slept another sweep took the run over, and will report how it ends.
      options.display.ended(run, { kind: 'interrupted', message: 'another process has taken it over' });
      this.scheduler.putBack(run);
      return;
    }
    finish(outcome);
    this.outcomes.set(run, outcome);
    options.display.ended(run, outcome);
    if (outcome.kind === 'completed' || outcome.kind === 'interrupted') return;
    if (outcome.kind === 'disk full') {
      // Every other run would fail in the same way.
      const fix = 'free some space, then start the sweep again: it goes on from the checkpoints';
      throw new UserError(`the disk is full: ${outcome.message}`, { place: run.folder, fix, exitCode: 1 });
    }
    if (options.failFast && !this.anyFailed) this.relay('SIGTERM');
    this.anyFailed = true;
  }

  /** Ends the sweep by an error of its own, such as a full disk: running runs are asked to save, and nothing is lost. */
  private giveUp(problem: unknown): void {
    if (this.problem !== undefined) return;
    this.problem = problem;
    this.relay('SIGTERM');
  }

  private relay(signal: NodeJS.Signals): void {
    for (const child of this.children.values()) child.stop(signal);
  }
}
