/** A sweep whose runs are fakes, as a process of its own that a test can stop and kill: `sweep.js EXPERIMENT JOBS [--fail-fast]`. */
import { fileURLToPath } from 'node:url';
import { loadExperiment } from '../../experiments/experiment.js';
import { sweepHere } from '../sweep.js';

const [file, jobs, ...flags] = process.argv.slice(2);
process.exitCode = await sweepHere({
  experiments: [await loadExperiment(file)],
  machine: { cores: 2, devices: [] },
  jobs: Number(jobs),
  failFast: flags.includes('--fail-fast'),
  quiet: !flags.includes('--verbose'),
  flags: [],
  command: { script: fileURLToPath(new URL('./run.js', import.meta.url)), args: [] },
  pollEvery: 50,
});
