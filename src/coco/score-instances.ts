/** Detections against the annotations of a file, category by category. */
import { UserError } from '../errors.js';
import { type AveragePrecision, averagePrecision } from './average-precision.js';
import type { Detection } from './detections.js';
import { type Instances, instanceMask } from './instances.js';

/** COCO's numbers, and each category's with its name. */
export type InstanceScores = Omit<AveragePrecision, 'perCategory'> & {
  perCategory: ({ name: string } & AveragePrecision['perCategory'][number])[];
};

/**
 * Scores detections against annotations.
 * @throws {UserError} by masks, for an annotation that has none
 */
export function scoreInstances(
  by: 'box' | 'mask',
  instances: Instances,
  detections: readonly Detection[],
): InstanceScores {
  const sizes = new Map(instances.images.map((image) => [image.id, image]));
  const truth = instances.objects.map((object) => ({
    ...object,
    mask: by === 'mask' ? instanceMask(object, sizes.get(object.image)!) : undefined,
  }));
  const without = by === 'mask' ? truth.find(({ mask }) => !mask) : undefined;
  if (without) {
    throw new UserError(`annotation ${without.id} (image ${without.image}) has no mask`, {
      fix: 'compare boxes alone',
    });
  }
  const { perCategory, ...numbers } = averagePrecision({
    by,
    images: [...sizes.keys()],
    categories: instances.categories.map(({ id }) => id),
    truth,
    detections,
  });
  const names = new Map(instances.categories.map(({ id, name }) => [id, name]));
  return {
    ...numbers,
    perCategory: perCategory.map((each) => ({ name: names.get(each.category)!, ...each })),
  };
}
