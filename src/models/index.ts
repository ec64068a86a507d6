import type { Config } from '../config/schema.js';
import type { Model } from './net.js';
import { resnetCifar } from './resnet-cifar.js';

/** The model that a configuration names. */
export function createModel(config: Config['model'], classes: number): Model {
  return resnetCifar(Number(config.name.slice('resnet'.length)), config.shortcut, classes);
}
