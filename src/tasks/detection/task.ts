/**
 * Finding objects: boxes, and masks if the model has a mask head. Proposals, the choice of regions, losses and what is
 * found are computed within the step, with fixed shapes.
 */
import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import type { Dataset } from '../../datasets/dataset.js';
import { canvasesOf } from '../../datasets/detection/canvas.js';
import { scenesOf } from '../../datasets/detection/scenes-of.js';
import type { DataConfig } from '../../datasets/schema.js';
import { tf } from '../../engine/load.js';
import { UserError } from '../../errors.js';
import { objectArrays } from '../../input/object-arrays.js';
import { type DetectorConfig, settingsOf } from '../../models/detection/settings.js';
import type { StepContext, Task, Tensors } from '../task.js';
import { detectionEvaluator } from './evaluator.js';
import { findBoxes, masksOf } from './find.js';
import { ofMaps } from './map-anchors.js';
import { detectionMetrics } from './metrics.js';
import { proposalLosses, propose, type Regions } from './proposals.js';
import { boxLosses, type DrawnRegions, drawRegions, firstOf, maskLoss, pool } from './regions.js';

/** @throws {UserError} for data without boxes */
export function detection(model: DetectorConfig, data: DataConfig): Task {
  if (data.name !== 'coco' && data.name !== 'shapes') {
    throw new UserError(`${model.name} needs images with boxes, and ${data.name} has none`, {
      place: 'data',
      fix: 'use coco (any data in COCO’s form) or shapes',
    });
  }
  const { images: _, ...targets } = objectArrays(scenesOf(data));
  const canvases = canvasesOf(scenesOf(data));
  const settings = settingsOf(model);
  const { maps, hasMasks, boxSize, sampling } = settings;
  const by = hasMasks ? (['box', 'mask'] as const) : (['box'] as const);
  const { ratios, rounded, border } = model.anchors;
  const { aligned, alignedMasks } = model.pooling;
  const isPyramid = model.neck === 'fpn';

  /** The features of regions for a head. */
  const features = (outputs: Tensors, regions: Regions, size: number, { kernels }: StepContext) =>
    pool(outputs, regions, { maps, size, sampling, aligned }, kernels);

  /** The mask head's output for regions; in the step that has their features already, with c4, from these. */
  function masks(outputs: Tensors, regions: Regions, context: StepContext, shared?: Tensor): Tensor {
    const { head } = context;
    if (isPyramid) return head('mask', features(outputs, regions, model.pooling.mask, context)).masks;
    const known = shared ?? head('box', features(outputs, regions, boxSize, context)).features;
    return head('mask', known).masks;
  }

  return {
    name: hasMasks ? 'instance segmentation' : 'detection',
    targets,
    draws: true,
    logged: {
      losses: ['proposalScore', 'proposalBox', 'class', 'box', ...(hasMasks ? ['mask'] : [])],
      counts: [],
    },
    metrics: detectionMetrics(by),

    training(outputs, truth, context) {
      const { kernels } = context;
      const [seed, other] = seedsOf(context);
      const anchors = ofMaps(outputs, { maps, ratios, rounded });
      const ofProposals = proposalLosses(anchors, truth, seed, { border, ...model.proposals }, kernels);
      const { candidates, proposals: kept } = settings;
      // They can be fed instead, so that a step is timed beside another library's with the same ones.
      const proposals = truth.proposals
        ? given(truth.proposals)
        : propose(anchors, truth.size, { candidates: candidates.train, kept: kept.train }, kernels);
      const { regions: count, positives } = settings;
      const regions = drawRegions(proposals, truth, other, { count, positives }, kernels);
      const found = context.head('box', features(outputs, regions, boxSize, context));
      const ofBoxes = boxLosses(found, regions, truth, model.regions.smoothL1, kernels);
      const losses: Tensors = {
        proposalScore: ofProposals.score,
        proposalBox: ofProposals.box,
        class: ofBoxes.score,
        box: ofBoxes.box,
      };
      if (!hasMasks) return { losses };
      const ofObjects = positiveRegions(regions, positives);
      const shared = found.features && rowsOfPositives(found.features, count, positives);
      const logits = masks(outputs, ofObjects, context, shared);
      const canvas = { ...canvasOf(outputs), aligned: alignedMasks };
      return { losses: { ...losses, mask: maskLoss(logits, ofObjects, truth, canvas, kernels) } };
    },

    predictions(outputs, truth, context) {
      const anchors = ofMaps(outputs, { maps, ratios, rounded });
      const proposals = propose(
        anchors,
        truth.size,
        {
          candidates: settings.candidates.test,
          kept: settings.proposals.test,
        },
        context.kernels,
      );
      const scored = context.head('box', features(outputs, proposals, boxSize, context));
      const found = findBoxes(scored, proposals, truth.size, model.detections, context.kernels);
      const { boxes, scores, classes, isThere } = found;
      const predictions: Tensors = { boxes, scores, classes, valid: isThere.cast('float32') };
      if (!hasMasks) return predictions;
      return { ...predictions, masks: masksOf(masks(outputs, found, context), found) };
    },

    requireData(dataset) {
      if (hasMasks) requireMasks(dataset, data);
    },

    evaluator({ truth }) {
      if (!truth) throw new Error('a split without its annotations cannot be judged');
      return detectionEvaluator(truth, by, canvases);
    },
  };

  /** The canvas's sides in pixels, from those of the finest map. */
  function canvasOf(outputs: Tensors): { height: number; width: number } {
    const [{ name, stride }] = maps;
    const [, height, width] = outputs[name].shape;
    return { height: height! * stride, width: width! * stride };
  }
}

/** @throws {UserError} where an object of validation has no mask, or none of training has one */
function requireMasks({ train, validation }: Dataset, data: DataConfig): void {
  const fix = 'use a model that finds boxes alone: faster-rcnn';
  const place = (split: 'train' | 'val') =>
    data.name === 'coco' ? `data.${split}Annotations: ${data[`${split}Annotations`]}` : 'data';
  const without = validation.truth?.objects.find(({ segmentation }) => !segmentation);
  if (without) {
    throw new UserError(
      `annotation ${without.id} (image ${without.image}) has no mask, and masks are compared in validation`,
      { place: place('val'), fix },
    );
  }
  const forms = train.objects?.forms ?? [];
  if (forms.length > 0 && !forms.some((form) => form !== 0)) {
    throw new UserError('no object that is trained on has a mask', { place: place('train'), fix });
  }
}

/** All of the boxes `[N, K, 4]`, as proposals. */
const given = (boxes: Tensor): Regions => ({ boxes, isThere: tf.ones(boxes.shape.slice(0, 2), 'bool') });

/** Two seeds from the step's: anchors and regions are drawn independently. */
function seedsOf({ seed }: StepContext): [Tensor, Tensor] {
  if (!seed) throw new Error('a step that draws is fed with a seed');
  return [seed, seed.add(tf.tensor1d([0, 1], 'int32'))];
}

/** The places of a drawing that objects' regions take, the others among them marked as not there. */
function positiveRegions(regions: DrawnRegions, positives: number): DrawnRegions {
  const { boxes, object, classes, isObject } = regions;
  const isFirst = firstOf(isObject, positives);
  return {
    boxes: firstOf(boxes, positives),
    object: firstOf(object, positives),
    classes: firstOf(classes, positives),
    isObject: isFirst,
    isThere: isFirst.greater(0),
  };
}

/** `[N·R, …]` → `[N·positives, …]` */
function rowsOfPositives(rows: Tensor, count: number, positives: number): Tensor {
  const [all, ...rest] = rows.shape;
  const images = all! / count;
  return firstOf(rows.reshape([images, count, ...rest]), positives).reshape([images * positives, ...rest]);
}
