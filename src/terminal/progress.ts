import { createRequire } from 'node:module';

export type Unit = 'bytes' | 'images' | 'clips' | 'steps' | 'files' | 'runs';

export interface Progress {
  /** `done` of the total; `note` is shown behind the bar until the next one replaces it. */
  update(done: number, note?: string): void;
  /** Ends the bar; without a terminal, prints a last line. */
  stop(note?: string): void;
}

export interface ProgressOptions {
  label: string;
  /** 0 when it is not known: then only what is done is shown. */
  total: number;
  unit?: Unit;
  quiet?: boolean;
  /** The stream it is drawn on; standard error unless a test looks at it. */
  stream?: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  /** Milliseconds; a test's clock. */
  now?: () => number;
}

/**
 * A bar on stderr with the time left, never wider than the terminal. Without a terminal plain lines instead: at
 * the start, at every 10 % or 10 s, and at the end. Nothing when quiet.
 */
export function startProgress(options: ProgressOptions): Progress {
  if (options.quiet) return { update() {}, stop() {} };
  const stream = options.stream ?? process.stderr;
  const terminal = stream.isTTY && process.env.TERM !== 'dumb';
  return terminal ? bar(options, stream) : lines(options, stream);
}

function bar(options: ProgressOptions, stream: NonNullable<ProgressOptions['stream']>): Progress {
  const state = new State(options);
  // Loaded here: without a terminal cli-progress is not needed (and prints garbage).
  const { SingleBar } = createRequire(import.meta.url)('cli-progress') as typeof import('cli-progress');
  const single = new SingleBar({
    stream,
    format: () => state.line(stream.columns ?? 80),
    hideCursor: false, // a killed process could not bring it back
    linewrap: true, // the same: lines are cut to the width here, not by the terminal
    fps: 10,
    gracefulExit: false, // signals belong to the command
  });
  single.start(options.total, 0);
  return {
    update(done, note) {
      state.update(done, note);
      single.update(done);
    },
    stop(note) {
      if (note !== undefined) state.note = note;
      state.ended = true;
      single.stop();
    },
  };
}

function lines(options: ProgressOptions, stream: NonNullable<ProgressOptions['stream']>): Progress {
  const state = new State(options);
  let printed = { at: state.now(), done: 0 };
  let stopped = false;
  const print = () => {
    stream.write(`${state.line(Number.POSITIVE_INFINITY)}\n`);
    printed = { at: state.now(), done: state.done };
  };
  print();
  return {
    update(done, note) {
      state.update(done, note);
      const waited = state.now() - printed.at;
      const tenth = options.total > 0 && done - printed.done >= options.total / 10;
      if (waited >= 10_000 || (tenth && waited >= 1000)) print();
    },
    stop(note) {
      if (stopped) return;
      stopped = true;
      if (note !== undefined) state.note = note;
      state.ended = true;
      print();
    },
  };
}

/** How far it is, and the line that says so. */
class State {
  done = 0;
  note = '';
  ended = false;
  readonly now: () => number;
  private first?: { at: number; done: number };
  private readonly started: number;

  constructor(private readonly options: ProgressOptions) {
    this.now = options.now ?? (() => performance.now());
    this.started = this.now();
  }

  update(done: number, note?: string) {
    // The part that was there already (a resumed download) says nothing about the speed.
    this.first ??= { at: this.now(), done };
    this.done = done;
    if (note !== undefined) this.note = note;
  }

  line(columns: number): string {
    const { label, total, unit } = this.options;
    const counted =
      total > 0 ? `${amount(this.done, unit, total)}/${amount(total, unit)}` : amount(this.done, unit);
    const share = total > 0 ? Math.min(1, this.done / total) : undefined;
    const percent = share === undefined ? '' : `${Math.floor(share * 100)} %`;
    const parts = [
      percent,
      `${counted}${unit && unit !== 'bytes' ? ` ${unit}` : ''}`,
      this.time(),
      this.note,
    ];
    const text = parts.filter(Boolean).join(' · ');
    const room = Math.min(30, columns - label.length - text.length - 5);
    const drawn = share !== undefined && Number.isFinite(columns) && room >= 5 ? draw(share, room) : '';
    const line = Number.isFinite(columns)
      ? [label, drawn, text].filter(Boolean).join('  ')
      : `${label}: ${text}`;
    return columns > 1 && line.length >= columns ? `${line.slice(0, columns - 2)}…` : line;
  }

  private time(): string {
    if (this.ended) return duration(this.now() - this.started);
    if (!this.first || this.done <= this.first.done || this.options.total <= 0) return '';
    const rate = (this.done - this.first.done) / (this.now() - this.first.at);
    const left = (this.options.total - this.done) / rate;
    return Number.isFinite(left) && left >= 0 ? `${duration(left)} left` : '';
  }
}

const draw = (share: number, width: number) => {
  const full = Math.round(share * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
};

/** A count, or bytes in the unit that suits `like` (so that both sides of a `/` have the same one). */
function amount(value: number, unit: Unit | undefined, like?: number): string {
  if (unit !== 'bytes') return String(Math.floor(value));
  const reference = like ?? value;
  const [divisor, name, digits] =
    reference >= 1e9 ? [1e9, 'GB', 2] : reference >= 1e6 ? [1e6, 'MB', 0] : [1e3, 'kB', 0];
  const number = (value / (divisor as number)).toFixed(digits as number);
  return like === undefined ? `${number} ${name}` : number;
}

/** `7 s`, `3 min 20 s`, `2 h 5 min`, from milliseconds. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
