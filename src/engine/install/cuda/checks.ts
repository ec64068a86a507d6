/** The lines of `gnbench doctor` on the NVIDIA driver, the GPUs and CUDA's libraries. */
import { type Check, found, missing } from '../check.js';
import { type CudaDriver, type Surroundings, whyNoGpu, whyNotAllKernels } from './driver.js';

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

export function describeGpus(driver: CudaDriver, surroundings: Surroundings): Check[] {
  const mend = whyNoGpu(driver, surroundings);
  const checks: Check[] = [];
  if (driver.cuda !== undefined) {
    const serves = `serves CUDA ${Math.floor(driver.cuda / 1000)}.${Math.floor((driver.cuda % 1000) / 10)}`;
    checks.push(found('driver', `NVIDIA ${driver.driver ?? '(version unknown)'}, ${serves}`));
  }
  for (const [index, { name, major, minor, memory }] of (driver.devices ?? []).entries()) {
    const capability = `compute capability ${major}.${minor}`;
    checks.push(found(`gpu ${index}`, `${name}, ${capability}, ${gibibytes(memory)}`));
  }
  if (mend) checks.push(missing('cuda', mend.message, mend.fix, false));
  const old = whyNotAllKernels(driver);
  if (old) checks.push(missing('driver', old.message, old.fix, false));
  checks.push(...takenMemory(driver));
  for (const [name, { path, error }] of Object.entries(driver.libraries)) {
    const fix = 'npx gnbench setup --variant cuda';
    checks.push(
      path ? found('library', `${name} in ${path}`) : missing('library', `${name}: ${error}`, fix, false),
    );
  }
  return checks;
}

/** Other programs' memory is not ours to use: a quarter of a GPU taken is worth a line. */
function takenMemory({ boards = [] }: CudaDriver): Check[] {
  return boards.flatMap(({ memory, used }, index) =>
    used > memory / 4
      ? [
          missing(
            `memory ${index}`,
            `${gibibytes(used)} of ${gibibytes(memory)} are taken by other programs`,
            'nvidia-smi # shows them; CUDA_VISIBLE_DEVICES=N chooses another GPU',
            false,
          ),
        ]
      : [],
  );
}
