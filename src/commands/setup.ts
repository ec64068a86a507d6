import { explainCpu } from '../engine/gpu.js';
import { provideFfmpeg } from '../engine/install/ffmpeg.js';
import { type ProvisionOptions, provisionEngine } from '../engine/install/index.js';
import { probeEngine } from '../engine/probe.js';
import { UserError } from '../errors.js';

export type SetupOptions = Pick<ProvisionOptions, 'variant' | 'source' | 'force' | 'quiet' | 'debug'> & {
  /** Provide FFmpeg too. */
  ffmpeg?: boolean;
};

/**
 * `gnbench setup`: puts the engine into the cache ahead of the first run, or checks every file of the one that is
 * there, and tries it. @returns the exit code
 */
export async function setup(options: SetupOptions): Promise<number> {
  const engine = await provisionEngine({ ...options, verify: true });
  const probe = await probeEngine({
    variant: engine.variant,
    source: engine.source,
    threads: { intraOp: 1, interOp: 1 },
    debug: options.debug,
  }).catch((error: Error) => {
    throw new UserError(`the engine is there but does not work: ${error.message}`, {
      place: engine.folder,
      fix: 'npx gnbench setup --force provides it anew; --debug shows all that it says',
      exitCode: 1,
      cause: error,
    });
  });
  const fallback = engine.variant === 'cuda' && probe.device === 'CPU';
  const ffmpeg = options.ffmpeg
    ? await provideFfmpeg({ quiet: options.quiet, debug: options.debug })
    : undefined;
  const lines = [
    `engine      TensorFlow ${engine.tensorflow}, ${engine.variant}, ${engine.source}`,
    `device      ${probe.device}${fallback ? `: ${(await explainCpu(engine)).message}` : ''}`,
    `operations  ${engine.nativeOps ? "gnbench's own and TensorFlow's" : `TensorFlow's only: ${engine.nativeOpsMissing}`}`,
    `folder      ${engine.folder}`,
    ...(ffmpeg ? [`ffmpeg      ${ffmpeg.version}, ${ffmpeg.path}`] : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}
