import { createRequire } from 'node:module';
import type { StartableRun } from '../experiments/experiment.js';
import type { ProgressMessage } from '../runs/reporter.js';
import { duration } from '../terminal/progress.js';
import type { AttemptResult } from './attempts.js';

/** The messages of a running sweep, on stderr. */
export interface Display {
  note(message: string): void;
  started(run: StartableRun): void;
  progress(run: StartableRun, progress: ProgressMessage): void;
  ended(run: StartableRun, outcome: AttemptResult): void;
  /** A run that was found to be over, without having been started here. */
  alreadyDone(run: StartableRun, outcome: AttemptResult): void;
  stop(): void;
}

export interface DisplayOptions<R extends StartableRun = StartableRun> {
  runs: readonly R[];
  /** The work of a run, in any unit that is the same for all; the part that is done counts. */
  cost(run: R): number;
  /** The share of a run that is done before this sweep, 0 to 1. */
  doneBefore(run: R): number;
  quiet?: boolean;
  stream?: NodeJS.WriteStream;
}

/** A bar for each running run and one for the whole in a terminal, plain lines elsewhere, nothing when quiet. */
export function openDisplay<R extends StartableRun>(options: DisplayOptions<R>): Display {
  const nothing = () => {};
  if (options.quiet) {
    return {
      note: nothing,
      started: nothing,
      progress: nothing,
      ended: nothing,
      alreadyDone: nothing,
      stop: nothing,
    };
  }
  const stream = options.stream ?? process.stderr;
  return stream.isTTY && process.env.TERM !== 'dumb' ? bars(options, stream) : lines(options, stream);
}

/** How much of the whole is done, and how long the rest takes at the speed since the start. */
class Whole<R extends StartableRun> {
  private readonly shares = new Map<StartableRun, number>();
  /** Runs that are over without being whole: what they lack is no longer to be done. */
  private readonly gone = new Set<StartableRun>();
  private readonly before: number;
  private readonly since = performance.now();
  private over = 0;

  constructor(private readonly options: DisplayOptions<R>) {
    for (const run of options.runs) this.shares.set(run, options.doneBefore(run));
    this.before = this.done();
  }

  set(run: StartableRun, share: number) {
    this.shares.set(run, share);
  }

  /** A run that failed takes no more time for now; one that was interrupted does. */
  end(run: StartableRun, outcome: AttemptResult) {
    if (outcome.kind === 'interrupted') return;
    if (outcome.kind === 'completed') this.shares.set(run, 1);
    else this.gone.add(run);
    this.over++;
  }

  private readonly shareOf = (run: StartableRun): number => this.shares.get(run) ?? 0;

  private sum(share: (run: StartableRun) => number): number {
    return this.options.runs.reduce((sum, run) => sum + this.options.cost(run) * share(run), 0);
  }

  private done(): number {
    return this.sum(this.shareOf);
  }

  private total(): number {
    return this.sum((run) => (this.gone.has(run) ? this.shareOf(run) : 1));
  }

  share(): number {
    const total = this.total();
    return total > 0 ? this.done() / total : 1;
  }

  text(): string {
    const done = this.done();
    const elapsed = performance.now() - this.since;
    const left = ((this.total() - done) / (done - this.before)) * elapsed;
    // Nothing is known of the speed before anything was done here.
    const time = elapsed > 5000 && done > this.before ? ` · ${duration(left)} left` : '';
    return `${Math.floor(this.share() * 100)} % · ${this.over}/${this.options.runs.length} runs${time}`;
  }
}

const title = (run: StartableRun) => `${run.cell.label}, seed ${run.seed}`;

function facts({ epoch, loss, validation, imagesPerSecond, examples = 'images' }: ProgressMessage): string {
  return [
    `epoch ${epoch}`,
    loss === undefined ? '' : `loss ${loss.toFixed(3)}`,
    validation ?? '',
    imagesPerSecond === undefined ? '' : `${Math.round(imagesPerSecond)} ${examples}/s`,
  ]
    .filter(Boolean)
    .join(' · ');
}

const ending = (outcome: AttemptResult) =>
  [
    outcome.kind,
    outcome.step === undefined ? '' : ` at step ${outcome.step}`,
    outcome.message && outcome.kind !== 'diverged' ? `: ${outcome.message}` : '',
  ].join('');

function lines<R extends StartableRun>(options: DisplayOptions<R>, stream: NodeJS.WriteStream): Display {
  const whole = new Whole(options);
  const lastEpoch = new Map<StartableRun, number>();
  let printedAt = 0;
  const print = (line: string) => stream.write(`${line}\n`);
  return {
    note: print,
    started: (run) => print(`start  ${title(run)}`),
    progress(run, progress) {
      whole.set(run, progress.step / progress.totalSteps);
      const known = lastEpoch.get(run);
      lastEpoch.set(run, progress.epoch);
      // A line an epoch, and not more than one a second from all of them.
      if (known === undefined || known === progress.epoch || performance.now() - printedAt < 1000) return;
      printedAt = performance.now();
      print(`       ${title(run)}: ${facts(progress)} (whole: ${whole.text()})`);
    },
    ended(run, outcome) {
      whole.end(run, outcome);
      print(`end    ${title(run)}: ${ending(outcome)} (whole: ${whole.text()})`);
    },
    alreadyDone(run, outcome) {
      whole.end(run, outcome);
    },
    stop() {},
  };
}

function bars<R extends StartableRun>(options: DisplayOptions<R>, stream: NodeJS.WriteStream): Display {
  // Loaded here: without a terminal cli-progress is not needed (and prints garbage).
  const { MultiBar } = createRequire(import.meta.url)('cli-progress') as typeof import('cli-progress');
  const whole = new Whole(options);
  const multi = new MultiBar({
    stream,
    format: (_, params, payload) =>
      barLine(payload.label, params.progress, payload.text, stream.columns ?? 80),
    hideCursor: false, // a killed process could not bring it back
    linewrap: true, // the same: lines are cut to the width here
    fps: 5,
    gracefulExit: false, // signals belong to the sweep
    clearOnComplete: false,
  });
  const all = multi.create(1, whole.share(), { label: 'sweep', text: whole.text() });
  const running = new Map<StartableRun, ReturnType<typeof multi.create>>();
  const refresh = () => all.update(whole.share(), { text: whole.text() });
  const remove = (run: StartableRun) => {
    const bar = running.get(run);
    if (bar) multi.remove(bar);
    running.delete(run);
  };
  // Written above the bars.
  const log = (line: string) => multi.log(`${line}\n`);
  return {
    note: log,
    started(run) {
      running.set(run, multi.create(1, 0, { label: title(run), text: 'starting' }));
      refresh();
    },
    progress(run, progress) {
      const share = progress.step / progress.totalSteps;
      whole.set(run, share);
      running.get(run)?.update(share, { text: facts(progress) });
      refresh();
    },
    ended(run, outcome) {
      whole.end(run, outcome);
      remove(run);
      log(`${title(run)}: ${ending(outcome)}`);
      refresh();
    },
    alreadyDone(run, outcome) {
      whole.end(run, outcome);
      refresh();
    },
    stop() {
      refresh();
      multi.stop();
    },
  };
}

/** Exported for its test: label, bar and text on one line of a terminal. */
export function barLine(label: string, share: number, text: string, columns: number): string {
  const percent = `${Math.floor(Math.min(1, Math.max(0, share)) * 100)} %`.padStart(5);
  const room = Math.min(24, columns - 1 - label.length - text.length - percent.length - 6);
  const full = Math.round(Math.min(1, Math.max(0, share)) * room);
  const drawn = room >= 5 ? `${'█'.repeat(full)}${'░'.repeat(room - full)}` : '';
  return cut(
    [label, drawn, text.includes('%') && label === 'sweep' ? '' : percent, text].filter(Boolean).join('  '),
    columns,
  );
}

const cut = (line: string, columns: number) =>
  line.length >= columns && columns > 1 ? `${line.slice(0, columns - 2)}…` : line;
