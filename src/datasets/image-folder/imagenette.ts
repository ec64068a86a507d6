import type { Dataset } from '../dataset.js';
import { provideImagenette } from '../download/provide.js';
import { asImageFolder, imagenetteClasses, imagenetteVersions } from '../imagenette.js';
import type { ImagenetteConfig } from '../schema.js';
import { openImageFolder } from './index.js';

/**
 * Imagenette as a folder of images, downloaded unless it is there.
 *
 * @throws {UserError} as `provideImagenette` and `openImageFolder` do
 */
export async function openImagenette(
  config: ImagenetteConfig,
  options: { dataFolder?: string; quiet?: boolean } = {},
): Promise<Dataset> {
  const folder = await provideImagenette(imagenetteVersions[config.size], options);
  const images = await openImageFolder(asImageFolder(config, folder), options);
  const names = new Map(imagenetteClasses.map((known) => [known.folder, known.name]));
  return {
    ...images,
    name: config.name,
    classNames: images.classNames?.map((known) => names.get(known) ?? known),
  };
}
