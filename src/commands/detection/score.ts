import { type Instances, readInstances, sayLeftOut } from '../../coco/instances.js';
import { readResults } from '../../coco/results-file.js';
import { type InstanceScores, scoreInstances } from '../../coco/score-instances.js';
import { UserError } from '../../errors.js';
import { columns } from '../../terminal/columns.js';

export interface ScoreFlags {
  detections: string;
  annotations?: string;
  by?: string;
  json?: boolean;
}

const kinds = ['box', 'mask'] as const;
type Kind = (typeof kinds)[number];

/**
 * `gnbench eval --detections FILE --annotations FILE`: scores anybody's detections as COCO does.
 * @returns the exit code
 */
export async function score(flags: ScoreFlags): Promise<number> {
  if (!flags.annotations) {
    throw new UserError('detections are scored against annotations', {
      place: '--detections',
      fix: 'name the file with --annotations, for example annotations/instances_val2017.json',
    });
  }
  const instances = await readInstances(flags.annotations);
  sayLeftOut(flags.annotations, instances);
  const results: Record<string, InstanceScores> = {};
  for (const by of kindsOf(flags.by)) {
    const detections = await readResults(flags.detections, instances, by);
    results[by] = scoreInstances(by, instances, detections);
  }
  const files = { detections: flags.detections, annotations: flags.annotations };
  process.stdout.write(
    flags.json ? `${JSON.stringify({ ...files, ...results }, null, 2)}\n` : asText(results, instances),
  );
  return 0;
}

function kindsOf(by = 'box'): Kind[] {
  const names = by.split(',');
  for (const name of names) {
    if (!kinds.includes(name as Kind)) {
      throw new UserError(`${JSON.stringify(name)} cannot be compared`, {
        place: '--by',
        fix: 'box, mask or box,mask',
      });
    }
  }
  return names as Kind[];
}

const percent = (value: number | undefined) => (value === undefined ? '–' : (100 * value).toFixed(1));

function asText(results: Record<string, InstanceScores>, { images }: Instances): string {
  const parts = Object.entries(results).map(([by, { perCategory, precisionAt50: _, ...numbers }]) => {
    const present = perCategory.filter(({ objects }) => objects > 0);
    const absent = perCategory.length - present.length;
    const rows = present.map(({ name, objects, AP, AP50 }) => [
      name,
      String(objects),
      percent(AP),
      percent(AP50),
    ]);
    return [
      `${by}, ${images.length} images`,
      columns(
        Object.entries(numbers).map(([name, value]) => [name, percent(value)]),
        [1],
      ),
      '',
      columns([['category', 'objects', 'AP', 'AP50'], ...rows], [1, 2, 3]),
      absent > 0 ? `${absent} categories have no object in these images, and no AP\n` : '',
    ].join('\n');
  });
  return `${parts.join('\n')}\n`;
}
