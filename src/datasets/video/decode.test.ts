import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { findFfmpeg } from '../../engine/install/ffmpeg.js';
import { UserError } from '../../errors.js';
import { decodeVideo } from './decode.js';

const ffmpeg = (await findFfmpeg())?.path ?? '';
const skip = ffmpeg === '' && 'needs FFmpeg: $GNBENCH_FFMPEG, the PATH, or gnbench setup --ffmpeg';
const folder = mkdtempSync(join(tmpdir(), 'gnbench-video-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

/** Makes a clip of moving test pictures. */
function make(name: string, ...args: string[]): string {
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=48x32:rate=10:duration=1.2'];
  const wanted = args.length > 0 ? args : ['-c:v', 'mpeg4', '-q:v', '2'];
  execFileSync(ffmpeg, ['-loglevel', 'error', '-y', ...source, ...wanted, at(name)]);
  return at(name);
}
const decode = (path: string, shorterSide?: number) => decodeVideo(path, { ffmpeg, shorterSide });
const refused = (message: RegExp, path: string) => (error: unknown) =>
  error instanceof UserError && message.test(error.message) && error.place === path;

describe('clips as they come', { skip }, () => {
  for (const [name, ...args] of [
    ['clip.mp4'],
    ['clip.avi'],
    ['clip.mkv', '-c:v', 'ffv1'],
    ['clip.mov', '-c:v', 'mjpeg', '-q:v', '2', '-pix_fmt', 'yuvj420p'],
    ['clip.webm', '-c:v', 'libvpx-vp9', '-b:v', '1M'],
    ["a name with 'quotes', spaces and -dashes.mp4"],
    [
      'with sound.mp4',
      '-f',
      'lavfi',
      '-i',
      'sine=duration=1.2',
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-c:v',
      'mpeg4',
      '-c:a',
      'aac',
    ],
  ] as [string, ...string[]][]) {
    test(`${name}: every frame in its size, and scaled`, async () => {
      const path = make(name, ...args);
      const { count, height, width, pixels } = await decode(path);
      assert.deepEqual([count, height, width, pixels.length], [12, 32, 48, 12 * 32 * 48 * 3]);
      const small = await decode(path, 16);
      assert.deepEqual([small.count, small.height, small.width], [12, 16, 24]);
      // Frames differ: a film, not one picture twelve times.
      assert.notDeepEqual(pixels.subarray(0, 32 * 48 * 3), pixels.subarray(-32 * 48 * 3));
    });
  }

  test('odd sizes', async () => {
    const path = make('odd.mkv', '-vf', 'crop=33:17:0:0', '-c:v', 'ffv1', '-pix_fmt', 'bgr0');
    const { height, width } = await decode(path);
    assert.deepEqual([height, width], [17, 33]);
    const scaled = await decode(path, 9);
    assert.deepEqual([scaled.height, scaled.width], [9, 17]);
  });

  test('a rotation flag turns the frames', async () => {
    const upright = make('upright.mp4');
    execFileSync(ffmpeg, [
      '-loglevel',
      'error',
      '-y',
      '-display_rotation',
      '90',
      '-i',
      upright,
      '-c',
      'copy',
      at('turned.mp4'),
    ]);
    const { count, height, width } = await decode(at('turned.mp4'));
    assert.deepEqual([count, height, width], [12, 48, 32]);
  });

  test('a variable frame rate gives each frame once', async () => {
    const path = make('variable.mkv', '-vf', "setpts='N*N/10/TB'", '-fps_mode', 'vfr', '-c:v', 'ffv1');
    assert.equal((await decode(path)).count, 12);
  });

  test('what is no clip is refused with its path', async () => {
    const truncated = make('whole.mp4');
    writeFileSync(at('truncated.mp4'), readFileSync(truncated).subarray(0, 900));
    writeFileSync(at('empty.mp4'), '');
    writeFileSync(at('text.mp4'), 'this is not a film\n'.repeat(50));
    execFileSync(ffmpeg, [
      '-loglevel',
      'error',
      '-y',
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=48x32:duration=0.1',
      '-frames:v',
      '1',
      at('p.png'),
    ]);
    writeFileSync(at('picture.mp4'), readFileSync(at('p.png')));
    execFileSync(ffmpeg, [
      '-loglevel',
      'error',
      '-y',
      '-f',
      'lavfi',
      '-i',
      'sine=duration=0.5',
      '-c:a',
      'aac',
      at('sound.mp4'),
    ]);
    writeFileSync(at('list.mp4'), `#EXTM3U\n#EXTINF:1\nhttp://127.0.0.1:9/x.ts\n`);
    for (const [name, message] of [
      ['truncated.mp4', /no video/],
      ['empty.mp4', /no video/],
      ['text.mp4', /no video/],
      ['picture.mp4', /single frame/],
      ['sound.mp4', /no video/],
      ['list.mp4', /no video/],
      ['missing.mp4', /no video.*No such file/],
    ] as [string, RegExp][]) {
      await assert.rejects(decode(at(name)), refused(message, at(name)), name);
    }
  });

  test('a cut-off end leaves the frames before it', async () => {
    const whole = readFileSync(make('long.mkv', '-c:v', 'ffv1'));
    writeFileSync(at('cut.mkv'), whole.subarray(0, Math.floor(whole.length * 0.6)));
    const { count } = await decode(at('cut.mkv'));
    assert.ok(count >= 5 && count < 12, `${count} frames`);
  });

  test('a film is refused before it fills the memory', async () => {
    const path = make('film.mp4');
    await assert.rejects(decodeVideo(path, { ffmpeg, mostFrames: 5 }), refused(/more than 5 frames/, path));
  });

  /** A decoder that begins a frame and then waits, its process number in a file. */
  function slowDecoder(name: string): { program: string; next(): Promise<number> } {
    const program = at(name);
    writeFileSync(
      program,
      '#!/bin/sh\nprintf "P6\\n4 4\\n255\\n"; echo $$ > "$0.new"; mv "$0.new" "$0.pid"; exec sleep 60\n',
    );
    chmodSync(program, 0o755);
    return {
      program,
      async next() {
        while (!existsSync(`${program}.pid`)) await new Promise((resolve) => setTimeout(resolve, 10));
        const pid = Number(readFileSync(`${program}.pid`, 'utf8'));
        rmSync(`${program}.pid`);
        return pid;
      },
    };
  }

  test('a decoder that is killed is started once more, then the clip is refused', async () => {
    const { program, next } = slowDecoder('killed-ffmpeg');
    const path = make('any.mp4');
    const killed = assert.rejects(decodeVideo(path, { ffmpeg: program }), refused(/ended by SIGKILL/, path));
    const first = await next();
    process.kill(first, 'SIGKILL');
    const second = await next();
    assert.notEqual(second, first);
    process.kill(second, 'SIGKILL');
    await killed;
  });

  test('a decoder that is killed once has its clip decoded', async () => {
    const path = make('once.mp4');
    const program = at('once-ffmpeg');
    writeFileSync(program, `#!/bin/sh\nmkdir "$0.killed" 2>/dev/null && kill -9 $$\nexec '${ffmpeg}' "$@"\n`);
    chmodSync(program, 0o755);
    assert.equal((await decodeVideo(path, { ffmpeg: program })).count, 12);
    assert.ok(existsSync(`${program}.killed`));
  });

  test('a decoder that hangs is ended, when nothing comes or decoding is stopped', async () => {
    const { program, next } = slowDecoder('hung-ffmpeg');
    const path = make('any.mp4');
    const hung = decodeVideo(path, { ffmpeg: program, patienceMs: 400 });
    await assert.rejects(hung, refused(/wrote nothing for 0.4 s/, path));
    const pid = await next();
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
    const stop = new AbortController();
    const stopped = decodeVideo(path, { ffmpeg: program, signal: stop.signal });
    void next().then(() => stop.abort(new Error('stopped')));
    await assert.rejects(stopped, /stopped|aborted/);
  });
});
