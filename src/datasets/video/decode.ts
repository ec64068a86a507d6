/** Clips to frames, with FFmpeg as a child process that writes each frame as a PPM image to a pipe. */
import { spawn } from 'node:child_process';
import { UserError } from '../../errors.js';
import { fileError, isSystemError } from '../../storage/system-errors.js';

/** All frames of a clip, `[frames, height, width, 3]`, 0 to 255, in the order in which they are shown. */
export interface Frames {
  count: number;
  height: number;
  width: number;
  pixels: Uint8Array;
}

export interface DecodeOptions {
  /** The program, as `findFfmpeg` found it. */
  ffmpeg: string;
  /** The frames' shorter side in pixels; the longer one follows. Without it they keep their size. */
  shorterSide?: number;
  /** A clip with more frames than this is refused: it is a film, and would not fit the memory. */
  mostFrames?: number;
  /** FFmpeg is ended when it has written nothing for so long. */
  patienceMs?: number;
  signal?: AbortSignal;
}

/**
 * Decodes a clip: every frame once, whatever its duration, turned as the file's rotation flag says.
 * @throws UserError with the path, when it holds no video, or FFmpeg cannot read, hangs, or was ended twice
 */
export async function decodeVideo(path: string, options: DecodeOptions): Promise<Frames> {
  try {
    return await decodeOnce(path, options);
  } catch (error) {
    // Killed from outside, as where memory is short: a run of days goes on when the clip can be decoded after all.
    if (error instanceof UserError && error.cause === wasEnded) return decodeOnce(path, options);
    throw error;
  }
}

/** The cause of an error for a decoder that something else ended. */
const wasEnded = Symbol('ended by a signal');

async function decodeOnce(path: string, options: DecodeOptions): Promise<Frames> {
  const { ffmpeg, shorterSide, mostFrames = 20_000, patienceMs = 120_000, signal } = options;
  const fail = (message: string, cause?: unknown): never => {
    throw new UserError(message, {
      place: path,
      fix: 'mend or remove the file, or leave such clips out with data.onBroken: skip',
      cause,
    });
  };
  const scale = shorterSide && [
    '-vf',
    `scale='if(lt(iw,ih),${shorterSide},-1)':'if(lt(iw,ih),-1,${shorterSide})':flags=bilinear`,
  ];
  const child = spawn(
    ffmpeg,
    [
      ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-threads', '1'],
      // Files only: a playlist that names an address is not followed.
      ...['-protocol_whitelist', 'file,pipe', '-i', `file:${path}`],
      ...['-map', '0:v:0', '-fps_mode', 'passthrough', ...(scale || [])],
      ...['-f', 'image2pipe', '-c:v', 'ppm', '-pix_fmt', 'rgb24', 'pipe:1'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], signal },
  );
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  const ended = new Promise<{ code: number | null; ending: NodeJS.Signals | null }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, ending) => resolve({ code, ending }));
  });
  ended.catch(() => {}); // it is awaited below, after the frames
  const reader = new PpmReader();
  let silent = false;
  let quiet = 0;
  // In ten parts: a process that is suspended meanwhile, and FFmpeg with it, loses one of them.
  const watch = setInterval(() => {
    if (++quiet < 10) return;
    silent = true;
    child.kill('SIGKILL');
  }, patienceMs / 10);
  try {
    for await (const chunk of child.stdout) {
      quiet = 0;
      reader.push(chunk as Buffer);
      if (reader.frames.length > mostFrames) fail(`it has more than ${mostFrames} frames`);
    }
    const { code, ending } = await ended;
    const said = complaints.trim().split('\n').at(-1) ?? '';
    if (silent) return fail(`FFmpeg wrote nothing for ${patienceMs / 1000} s`);
    if (ending) return fail(`FFmpeg was ended by ${ending} while it decoded`, wasEnded);
    if (reader.frames.length === 0) return fail(`it holds no video${said ? `: ${said}` : ''}`);
    if (reader.frames.length === 1) return fail('it has a single frame: it is a picture, not a clip');
    if (code !== 0) return fail(`FFmpeg gave up after ${reader.frames.length} frames: ${said}`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new UserError('the FFmpeg that was found is gone', {
        place: ffmpeg,
        fix: 'gnbench doctor',
        cause: error,
      });
    }
    if (signal?.aborted) throw signal.reason;
    if (isSystemError(error)) throw fileError(error, 'FFmpeg could not be run', ffmpeg, { exitCode: 2 });
    return fail(`FFmpeg could not be run (${(error as Error).message})`, error);
  } finally {
    clearInterval(watch);
    child.kill('SIGKILL');
  }
  const { width, height, frames } = reader;
  const pixels = new Uint8Array(frames.length * width * height * 3);
  for (const [index, frame] of frames.entries()) pixels.set(frame, index * width * height * 3);
  return { count: frames.length, height, width, pixels };
}

/** Takes a stream of PPM images apart. */
class PpmReader {
  readonly frames: Uint8Array[] = [];
  width = 0;
  height = 0;
  private waiting: Buffer = Buffer.alloc(0);
  private chunks: Buffer[] = [];
  /** Bytes that have to be there before it is worth looking: a header, then the frame that it announces. */
  private wanted = 40;

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    const bytes = this.chunks.reduce((sum, { length }) => sum + length, this.waiting.length);
    if (bytes < this.wanted) return;
    this.waiting = Buffer.concat([this.waiting, ...this.chunks.splice(0)]);
    for (;;) {
      this.wanted = 40;
      const header = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(this.waiting.subarray(0, 40).toString('latin1'));
      if (!header) return;
      const [width, height] = [Number(header[1]), Number(header[2])];
      const [start, size] = [header[0].length, width * height * 3];
      this.wanted = start + size;
      if (this.waiting.length < this.wanted) return;
      // A clip that changes its size in the middle is scaled by FFmpeg to the first frame's.
      if (this.frames.length === 0) [this.width, this.height] = [width, height];
      if (width !== this.width || height !== this.height) throw new Error('the frames differ in size');
      this.frames.push(this.waiting.subarray(start, start + size));
      this.waiting = this.waiting.subarray(start + size);
    }
  }
}
