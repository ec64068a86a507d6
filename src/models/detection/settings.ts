/** The numbers of a detector, where a configuration leaves them open: the paper's, which its neck decides. */
import type { Config } from '../../config/schema.js';

/** The `model` key of a detector. */
export type DetectorConfig = Extract<Config['model'], { name: 'mask-rcnn' | 'faster-rcnn' }>;

/** True for the models that find objects. */
export const isDetector = (model: Config['model']): model is DetectorConfig =>
  model.name === 'mask-rcnn' || model.name === 'faster-rcnn';

/** One map of the features that a detector looks for objects in. */
export interface MapOfFeatures {
  /** Its output's name: `p2`. */
  name: string;
  /** An image's pixels a pixel of the map. */
  stride: number;
  /** The square roots of the areas of the anchors on it, in an image's pixels. */
  sizes: readonly number[];
  /** False for a map that objects are only proposed on. */
  hasRegions: boolean;
}

export interface DetectorSettings {
  depth: number;
  hasMasks: boolean;
  maps: readonly MapOfFeatures[];
  /** Channels of the layer that proposals are made of. */
  proposalChannels: number;
  candidates: { train: number; test: number };
  proposals: { train: number; test: number };
  /** The sides of a region's features for the box head. */
  boxSize: number;
  /** Samples a bin and side of RoIAlign; 0: as many as the bin has pixels. */
  sampling: number;
  /** Regions an image that a step learns from, and how many of them objects at the most. */
  regions: number;
  positives: number;
}

/** The levels of the pyramid, and the sizes of the anchors on them (Lin et al. 2017, arXiv 1612.03144, §4.1). */
const pyramid = [2, 3, 4, 5, 6];

export function settingsOf(config: DetectorConfig): DetectorSettings {
  const { neck, anchors, proposals, regions } = config;
  const isPyramid = neck === 'fpn';
  const maps = isPyramid
    ? pyramid.map((level, index) => ({
        name: `p${level}`,
        stride: 2 ** level,
        sizes: [anchors.sizes[index]],
        hasRegions: level < 6,
      }))
    : [{ name: 'c4', stride: 16, sizes: anchors.sizes, hasRegions: true }];
  return {
    depth: Number(config.backbone.slice('resnet'.length)),
    hasMasks: config.name === 'mask-rcnn',
    maps,
    proposalChannels: proposals.channels ?? (isPyramid ? config.neckChannels : 1024),
    candidates:
      proposals.candidates ?? (isPyramid ? { train: 2000, test: 1000 } : { train: 12000, test: 6000 }),
    proposals: proposals.kept ?? (isPyramid ? { train: 1000, test: 1000 } : { train: 2000, test: 1000 }),
    boxSize: isPyramid ? config.pooling.box : 14, // the fourth stage, which c4 applies to regions, halves it
    sampling: config.pooling.sampling ?? (isPyramid ? 2 : 0),
    regions: regions.perImage,
    positives: Math.max(1, Math.floor(regions.perImage * regions.positive)),
  };
}
