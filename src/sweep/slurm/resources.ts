import { check } from '../../config/check.js';
import { override } from '../../config/overrides.js';
import { readYaml } from '../../config/yaml.js';
import { UserError } from '../../errors.js';
import { type SlurmResources, slurmSchema } from '../../experiments/schema.js';

/**
 * The resources that the experiment asks for, with `key=value` from `--slurm` in front.
 *
 * @param atOnce runs at a time, from `--jobs`
 * @throws UserError for a key that is none, or a value that cannot be
 */
export function resourcesOf(
  asked: SlurmResources,
  assignments: readonly string[],
  atOnce?: number,
): SlurmResources {
  try {
    const source = override(readYaml(JSON.stringify(asked), { file: 'slurm' }), assignments);
    const resources = check(slurmSchema, source);
    return atOnce === undefined ? resources : { ...resources, maxRunning: atOnce };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message, {
      place: error.place?.replace('--set', '--slurm'),
      fix: error.fix?.replaceAll('--set', '--slurm'),
    });
  }
}
