import { z } from 'zod';
import { byName } from './named.js';

/** ResNet-(6n+2) for 32×32 images: He et al. 2016, "Deep Residual Learning", §4.2. */
const cifarResNet = z.strictObject({
  name: z.enum(['resnet20', 'resnet32', 'resnet44', 'resnet56', 'resnet110']),
  shortcut: z
    .enum(['identity', 'projection'])
    .default('identity')
    .describe(
      'Where the shape changes: identity strides and adds channels of zeros (A), projection convolves 1×1 (B)',
    ),
});

export const modelSchema = byName([cifarResNet]);
