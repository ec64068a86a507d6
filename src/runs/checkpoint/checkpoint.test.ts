import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../errors.js';
import { diskFileSystem, type FileSystem } from '../../storage/files.js';
import { loadCheckpoint, saveCheckpoint, type TrainingState } from './checkpoint.js';

/** How many hostile files are tried. */
const runs = Number(process.env.GNBENCH_FUZZ ?? 1000);

const scratch = fs.mkdtempSync(join(tmpdir(), 'gnbench-checkpoint-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(scratch, String(folders++), 'checkpoints');

const silent = (message: string) => assert.fail(`unexpected warning: ${message}`);

function stateAt(step: number, values = 5): TrainingState {
  return {
    step,
    sums: { loss: step / 3, count: 64, nothing: Number.NaN, much: Number.NEGATIVE_INFINITY, zero: -0 },
    tensors: {
      'stem.kernel': { shape: [values], data: Float32Array.from({ length: values }, (_, i) => step + i / 7) },
      'stem.kernel/velocity': { shape: [1, values], data: new Float32Array(values).fill(-step) },
      scalar: { shape: [], data: Float32Array.of(step) },
      empty: { shape: [0, 3], data: new Float32Array(0) },
    },
    extra: { threads: { intraOp: 2 }, rows: 3 },
  };
}

test('what is saved is loaded, to the bit', async () => {
  const folder = newFolder();
  saveCheckpoint(folder, stateAt(1234), { keep: 2 });
  assert.deepEqual(loadCheckpoint(folder, silent), stateAt(1234));
  assert.deepEqual(fs.readdirSync(folder), ['step-000001234']);
});

test('no folder and an empty folder hold no checkpoint', async () => {
  const folder = newFolder();
  assert.equal(loadCheckpoint(folder, silent), undefined);
  fs.mkdirSync(folder, { recursive: true });
  assert.equal(loadCheckpoint(folder, silent), undefined);
});

test('the last `keep` stay, and of one step the later save counts', async () => {
  const folder = newFolder();
  for (const step of [1, 2, 10, 10]) saveCheckpoint(folder, stateAt(step), { keep: 2 });
  assert.deepEqual(fs.readdirSync(folder).sort(), ['step-000000010', 'step-000000010-1']);
  saveCheckpoint(folder, { ...stateAt(10), sums: { again: 2 } }, { keep: 1 });
  assert.deepEqual(fs.readdirSync(folder), ['step-000000010-2']);
  assert.deepEqual(loadCheckpoint(folder, silent)?.sums, { again: 2 });
});

test('a damaged checkpoint is passed over with a warning, and does not count among those kept', async () => {
  const folder = newFolder();
  for (const step of [1, 2]) saveCheckpoint(folder, stateAt(step), { keep: 5 });
  fs.truncateSync(join(folder, 'step-000000002', 'tensors.safetensors'), 100);
  const warnings: string[] = [];
  assert.equal(loadCheckpoint(folder, (message) => warnings.push(message))?.step, 1);
  assert.match(warnings.join(), /step-000000002 is damaged \(tensors\.safetensors has 100 bytes/);
  // The run goes on from step 1 and saves at a step before the damaged one's.
  saveCheckpoint(folder, { ...stateAt(1), sums: { later: 1 } }, { keep: 1 });
  assert.deepEqual(loadCheckpoint(folder, silent)?.sums, { later: 1 });
  assert.equal(fs.readdirSync(folder).filter((name) => name.startsWith('damaged-step-000000002-')).length, 1);
});

test('a checkpoint that cannot be opened just now is not called damaged', async () => {
  const folder = newFolder();
  for (const step of [1, 2]) saveCheckpoint(folder, stateAt(step), { keep: 5 });
  const read = (path: string) => {
    if (!path.includes('000000002')) return diskFileSystem.read(path);
    throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE', syscall: 'open' });
  };
  const files = { ...diskFileSystem, read };
  assert.throws(() => loadCheckpoint(folder, silent, { files }), /could not read the checkpoint: too many/);
  assert.equal(loadCheckpoint(folder, silent)?.step, 2);
});

test('when none is whole, that is an error and not a fresh start', async () => {
  const folder = newFolder();
  saveCheckpoint(folder, stateAt(7), { keep: 1 });
  fs.rmSync(join(folder, 'step-000000007', 'manifest.json'));
  assert.throws(
    () => loadCheckpoint(folder, () => {}),
    (error) =>
      error instanceof UserError &&
      error.place === folder &&
      /every checkpoint is damaged/.test(error.message),
  );
});

test('a checkpoint under the name of another step is not believed', async () => {
  const folder = newFolder();
  saveCheckpoint(folder, stateAt(7), { keep: 1 });
  fs.renameSync(join(folder, 'step-000000007'), join(folder, 'step-000000008'));
  assert.throws(() => loadCheckpoint(folder, () => {}), UserError);
});

test('leftovers of dead writers are removed by the next save', async () => {
  const folder = newFolder();
  const dead = 2 ** 22 + 1; // above Linux's largest pid
  fs.mkdirSync(join(folder, `.tmp-${dead}-abc`), { recursive: true });
  fs.mkdirSync(join(folder, `.tmp-${process.ppid}-abc`));
  saveCheckpoint(folder, stateAt(1), { keep: 1 });
  assert.deepEqual(fs.readdirSync(folder).sort(), [`.tmp-${process.ppid}-abc`, 'step-000000001']);
});

test('any bit flipped, any byte cut off or added is found', async () => {
  const folder = newFolder();
  saveCheckpoint(folder, stateAt(3), { keep: 1 });
  const contents = new Map<string, Uint8Array>();
  for (const name of fs.readdirSync(join(folder, 'step-000000003'))) {
    const path = join(folder, 'step-000000003', name);
    contents.set(path, fs.readFileSync(path));
  }
  assert.equal(contents.size, 3);
  const loadWith = (path: string, bytes: Uint8Array) =>
    loadCheckpoint(folder, () => {}, {
      files: { ...diskFileSystem, read: (asked) => (asked === path ? bytes : contents.get(asked)!) },
    });
  for (const [path, good] of contents) {
    assert.equal(loadWith(path, good)?.step, 3);
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Buffer.from(good);
      bad[bit >> 3] ^= 1 << (bit & 7);
      assert.throws(() => loadWith(path, bad), UserError, `bit ${bit} of ${path}`);
    }
    for (let length = 0; length < good.length; length++) {
      assert.throws(() => loadWith(path, good.subarray(0, length)), UserError, `${path} cut at ${length}`);
    }
  }
  // Any other bytes in any of the files.
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...contents.keys()),
      fc.uint8Array({ maxLength: 300 }),
      async (path, extra) => {
        const good = Buffer.from(contents.get(path)!);
        for (const bad of [extra, Buffer.concat([good, extra]), Buffer.concat([extra, good])]) {
          if (!good.equals(bad)) assert.throws(() => loadWith(path, bad), UserError);
        }
      },
    ),
    { numRuns: runs },
  );
});

/** How a call ends the save: with an error, or with the process, or with the machine. */
type Fault = 'ENOSPC' | 'EACCES' | 'EIO' | 'killed' | 'power cut';

class Killed extends Error {}

/**
 * A file system whose `failAt`-th call fails (a write after half its bytes). From a kill on nothing happens any more;
 * a power cut also loses the bytes of files that were not synced.
 */
function faulty(failAt: number, fault: Fault): { files: FileSystem; calls: () => number; log: string[] } {
  let calls = 0;
  let dead = false;
  const log: string[] = [];
  const unsynced = new Map<number, string>();
  const opened = new Map<number, string>();
  const strike = () => {
    if (fault === 'killed' || fault === 'power cut') {
      dead = true;
      if (fault === 'power cut')
        for (const path of unsynced.values()) if (fs.existsSync(path)) fs.truncateSync(path, 0);
      throw new Killed();
    }
    throw Object.assign(new Error(`${fault}: injected`), { code: fault });
  };
  const call = <T>(name: string, does: () => T, half?: () => void): T => {
    if (dead) throw new Killed();
    log.push(name);
    if (++calls === failAt) {
      half?.();
      strike();
    }
    return does();
  };
  const disk = diskFileSystem;
  const files: FileSystem = {
    makeFolder: (path) => call('makeFolder', () => disk.makeFolder(path)),
    open: (path, mode) =>
      call('open', () => {
        const handle = disk.open(path, mode);
        opened.set(handle, path);
        return handle;
      }),
    write: (handle, bytes) =>
      call(
        'write',
        () => {
          unsynced.set(handle, opened.get(handle)!);
          // Also when all goes well, a write may take only a part.
          return disk.write(handle, bytes.subarray(0, Math.ceil(bytes.length / 2)));
        },
        () => disk.write(handle, bytes.subarray(0, bytes.length >> 1)),
      ),
    truncate: (handle, size) => call('truncate', () => disk.truncate(handle, size)),
    sync: (handle) =>
      call('sync', () => {
        unsynced.delete(handle);
      }),
    close: (handle) =>
      call(
        'close',
        () => disk.close(handle),
        () => disk.close(handle),
      ),
    rename: (from, to) => call('rename', () => disk.rename(from, to)),
    remove: (path) =>
      call(
        'remove',
        () => disk.remove(path),
        () => disk.remove(join(path, 'manifest.json')),
      ),
    list: (path) => call('list', () => disk.list(path)),
    read: (path) => call('read', () => disk.read(path)),
  };
  return { files, calls: () => calls, log };
}

/** The disk without the wait for it. */
const quick: FileSystem = { ...diskFileSystem, sync: () => {} };

for (const before of [0, 1, 2, 3]) {
  test(`a save after ${before} others: each file-system call fails once, and nothing is lost`, async (context) => {
    const prepare = async () => {
      const folder = newFolder();
      for (let step = 1; step <= before; step++)
        saveCheckpoint(folder, stateAt(step), { keep: 2, files: quick });
      if (before === 3) {
        // With a leftover to clear and a damaged later one to set aside, a save makes every call it knows.
        fs.mkdirSync(join(folder, `.tmp-${process.pid}-left`));
        fs.mkdirSync(join(folder, 'step-000000099'));
      }
      return folder;
    };
    const counting = faulty(0, 'EIO');
    saveCheckpoint(await prepare(), stateAt(before + 1), { keep: 2, files: counting.files });
    const calls = counting.calls();
    let outcomes = 0;
    for (const fault of ['ENOSPC', 'EACCES', 'EIO', 'killed', 'power cut'] as const) {
      for (let failAt = 1; failAt <= calls; failAt++) {
        const folder = await prepare();
        const { files, log } = faulty(failAt, fault);
        let thrown: unknown;
        try {
          saveCheckpoint(folder, stateAt(before + 1), { keep: 2, files });
        } catch (error) {
          thrown = error;
        }
        const what = `${fault} at call ${failAt} of ${calls} (${log[failAt - 1]})`;
        if (fault === 'killed' || fault === 'power cut') assert.ok(thrown instanceof Killed, what);
        else {
          assert.ok(thrown instanceof UserError, what);
          assert.equal(thrown.exitCode, 1, what);
          assert.match(
            thrown.message,
            new RegExp(`could not save the checkpoint of step ${before + 1}: .*${fault}`),
          );
          assert.equal(thrown.place, folder);
        }
        const loaded = loadCheckpoint(folder, () => {});
        assert.ok([before || undefined, before + 1].includes(loaded?.step), `${what}: step ${loaded?.step}`);
        if (loaded) assert.deepEqual(loaded, stateAt(loaded.step), what);
        // And the run goes on from there.
        saveCheckpoint(folder, stateAt(before + 2), { keep: 2, files: quick });
        assert.deepEqual(loadCheckpoint(folder, silent), stateAt(before + 2), what);
        outcomes++;
      }
    }
    assert.equal(outcomes, calls * 5);
    context.diagnostic(
      `${calls} file-system calls in a save, each failed in 5 ways: 0 bad outcomes of ${outcomes}`,
    );
  });
}
