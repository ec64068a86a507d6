import { UserError } from '../errors.js';
import { fileError, isSystemError } from '../storage/system-errors.js';
import { type Batch, type BatchSpec, bytesOf, sharedArrays } from './batch.js';

/**
 * A ring of batches in shared memory between one producer (a worker thread) and one consumer (the main thread, which
 * is nearly always inside native code and never returns to its event loop in between). Everything that they tell each
 * other therefore goes through this memory, errors included.
 */
export interface Ring {
  control: Int32Array<SharedArrayBuffer>;
  /** The worker's error, as UTF-8 JSON of {name, message, place, fix}. */
  failure: Uint8Array<SharedArrayBuffer>;
  /** The arrays of `slots` batches, one after another. */
  arrays: Batch;
  slots: number;
}

/** Places in `control`. Counters wrap at 2^32; their differences do not mind. */
export const produced = 0;
/** Batches that the consumer is done with. */
export const consumed = 1;
/** The value of `consumed` that the sleeping producer wants to be woken at, while `asleep` is 1. */
export const wakeAt = 2;
export const asleep = 3;
/** 0 running, 1 failed, 2 closed by the consumer. */
export const state = 4;
export const failureBytes = 5;
/** Counts whatever the consumer may be waiting for: batches and the failure. */
export const events = 6;

export const running = 0;
export const failed = 1;
export const closed = 2;

// Room for at least 8 batches of 128 CIFAR images (3 MB) and 2 of 256 images of ImageNet (77 MB).
const byteBudget = 128 * 2 ** 20;
const fewest = 2;
const most = 64;

export function createRing(spec: BatchSpec, batchSize: number): Ring {
  const slots = Math.max(fewest, Math.min(most, Math.floor(byteBudget / (batchSize * bytesOf(spec)))));
  return {
    control: new Int32Array(new SharedArrayBuffer(32)),
    failure: new Uint8Array(new SharedArrayBuffer(16384)),
    arrays: sharedArrays(spec, slots * batchSize),
    slots,
  };
}

/**
 * The producer's side: waits until there is room. Once the ring is full it sleeps until half of it is empty: woken for
 * every single batch, it would take the cores from the step at each.
 *
 * @returns false when the consumer has closed the ring
 */
export function waitForRoom({ control, slots }: Ring): boolean {
  const next = Atomics.load(control, produced);
  const held = (next - Atomics.load(control, consumed)) | 0;
  if (held >= slots) {
    Atomics.store(control, wakeAt, next - (slots >> 1));
    Atomics.store(control, asleep, 1);
    while (Atomics.load(control, state) === running) {
      const seen = Atomics.load(control, consumed);
      if (((seen - Atomics.load(control, wakeAt)) | 0) >= 0) break;
      Atomics.wait(control, asleep, 1);
    }
    Atomics.store(control, asleep, 0);
  }
  return Atomics.load(control, state) === running;
}

/** The producer's side: the batch in the slot `produced % slots` is complete. */
export function publish({ control }: Ring): void {
  Atomics.add(control, produced, 1);
  announce(control);
}

/** The producer's side: nothing more will come. */
export function reportFailure({ control, failure }: Ring, error: unknown): void {
  const { name, message, place, fix } = asUserError(error) as Error & { place?: string; fix?: string };
  const cut = (text?: string) => text?.slice(0, 2500);
  const text = JSON.stringify({
    name,
    message: cut(message ?? String(error)),
    place: cut(place),
    fix: cut(fix),
  });
  const { written } = new TextEncoder().encodeInto(text, failure);
  Atomics.store(control, failureBytes, written);
  Atomics.compareExchange(control, state, running, failed);
  announce(control);
}

/** Only the message passes the ring: what the machine refused is put in words here. */
const asUserError = (error: unknown): unknown =>
  isSystemError(error) ? fileError(error, 'preparing a batch failed', error.path ?? '') : error;

function announce(control: Int32Array<SharedArrayBuffer>): void {
  Atomics.add(control, events, 1);
  Atomics.notify(control, events);
}

// A worker that the system ended can tell nobody; no single batch takes this long. Counted second by second, for while
// this process is suspended (Ctrl-Z, scontrol suspend) the worker is, too, and the time passes for both.
const mostSilence = 300;

/**
 * The consumer's side: waits until batch number `count` (from 0) is there.
 *
 * @returns milliseconds spent waiting; 0 when it was there already
 * @throws what the producer reported, or that it went silent
 */
export function waitForBatch(ring: Ring, count: number): number {
  const { control } = ring;
  let start: number | undefined;
  for (let silence = 0; ; ) {
    const seen = Atomics.load(control, events);
    if (((Atomics.load(control, produced) - count) | 0) > 0) break;
    if (Atomics.load(control, state) === failed) throw failureOf(ring);
    start ??= performance.now();
    silence = Atomics.wait(control, events, seen, 1000) === 'timed-out' ? silence + 1 : 0;
    if (silence >= mostSilence) {
      throw new Error(`the worker that prepares batches has been silent for ${mostSilence} s`);
    }
  }
  return start === undefined ? 0 : performance.now() - start;
}

function failureOf({ control, failure }: Ring): Error {
  const bytes = Uint8Array.from(failure.subarray(0, Atomics.load(control, failureBytes)));
  const { name, message, place, fix } = JSON.parse(new TextDecoder().decode(bytes));
  if (name === 'UserError') return new UserError(message, { place, fix });
  return new Error(`preparing a batch failed: ${message}`);
}

/** The consumer's side: one more slot is free; wakes the producer if it waits for this one. */
export function release({ control }: Ring): void {
  const done = Atomics.add(control, consumed, 1) + 1;
  if (Atomics.load(control, asleep) === 1 && ((done - Atomics.load(control, wakeAt)) | 0) >= 0) wake(control);
}

/** The consumer's side: the producer is to stop at once. */
export function closeRing({ control }: Ring): void {
  Atomics.store(control, state, closed);
  wake(control);
}

function wake(control: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(control, asleep, 0);
  Atomics.notify(control, asleep);
}
