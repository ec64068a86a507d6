/** A Slurm task whose run is a fake: `task.js LIST INDEX`. */
import { fileURLToPath } from 'node:url';
import { slurmTask } from '../slurm/task.js';

const [list, index] = process.argv.slice(2);
const script = fileURLToPath(new URL('./run.js', import.meta.url));
process.exitCode = await slurmTask(list, Number(index), { script, args: [] });
