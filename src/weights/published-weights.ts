/** Weights in the names and layouts of torchvision and timm, to gnbench's and back. */
import type { VariableValue } from '../engine/program.js';
import { UserError } from '../errors.js';
import { inverse, publishedLayout, transpose } from './published-layouts.js';
import { isPublished, publishedModels, publishedName, type WeightsLibrary } from './published-names.js';
import type { Tensor, Written } from './safetensors.js';
import { type TensorDifferences, tensorDifferences } from './tensor-differences.js';
import { unwrap, wrapperOf } from './wrapped-names.js';

/**
 * A variable of PyTorch's BN: the number of batches that its running statistics have seen. It has no effect when they
 * have a momentum.
 */
const counter = 'num_batches_tracked';

type Shapes = readonly { name: string; shape: number[] }[];
type Where = { library: WeightsLibrary; model: string };

/**
 * PyTorch's tensors as the values of gnbench's `variables`.
 *
 * @param place names the file in errors
 * @throws UserError that lists all missing, extra and misshapen tensors at once
 */
export function fromPublished(
  tensors: Record<string, Tensor>,
  variables: Shapes,
  where: Where,
  place: string,
): Record<string, VariableValue> {
  const { text } = publishedDifferences(tensors, variables, where);
  if (text) {
    const wrapped = wrapperOf(Object.keys(tensors));
    throw new UserError(`the weights are not ${where.library}'s ${where.model}; ${text}`, {
      place,
      fix: wrapped
        ? unwrap(wrapped)
        : `name the model they are of with --model, one of ${Object.keys(publishedModels).join(', ')}`,
    });
  }
  const values: Record<string, VariableValue> = {};
  for (const { name, shape } of variables) {
    const { view, axes } = publishedLayout(name, shape, where);
    const { data } = tensors[theirName(name, variables, where)];
    values[name] = { shape, data: transpose(data, view, axes) };
  }
  return values;
}

/** The differences that keep PyTorch's tensors from being those of the model. */
export function publishedDifferences(
  tensors: Record<string, Tensor>,
  variables: Shapes,
  where: Where,
): TensorDifferences {
  const wanted = variables.map(({ name, shape }) => ({
    name: theirName(name, variables, where),
    shape: publishedLayout(name, shape, where).shape,
  }));
  return tensorDifferences(tensors, wanted, (name) => name.endsWith(`.${counter}`));
}

/**
 * gnbench's values as PyTorch's tensors, which `load_state_dict(strict=True)` takes.
 *
 * @param steps what BN's counters say
 * @throws UserError for a model that the libraries don't have, or a normalizer that PyTorch doesn't
 */
export function toPublished(
  values: Record<string, VariableValue>,
  where: Where,
  steps: number,
): Record<string, Written> {
  if (!isPublished(where.model)) {
    throw new UserError(`${where.library} has no ${where.model}`, {
      place: '--to',
      fix: `it has ${[...new Set(Object.values(publishedModels).map(({ model }) => model))].join(', ')}; export this one with --to gnbench`,
    });
  }
  const variables = Object.entries(values).map(([name, { shape }]) => ({ name, shape }));
  const tensors: Record<string, Written> = {};
  for (const { name, shape: ours } of variables) {
    const theirs = theirName(name, variables, where);
    const { shape, view, axes } = publishedLayout(name, ours, where);
    const seen = axes.map((axis) => view[axis]);
    tensors[theirs] = { shape, data: transpose(values[name].data, seen, inverse(axes)) };
    if (theirs.endsWith('.running_var')) {
      const count = theirs.replace(/running_var$/, counter);
      tensors[count] = { shape: [], data: BigInt64Array.of(BigInt(steps)) };
    }
  }
  return tensors;
}

function theirName(name: string, variables: Shapes, where: Where): string {
  const normalized = variables.some((variable) => variable.name.endsWith('.gamma'));
  const convolved = variables.some((variable) => variable.name.startsWith('boxHead.conv'));
  const theirs = publishedName(name, { ...where, normalized, convolved });
  if (theirs !== undefined) return theirs;
  throw new UserError(`${where.library} has nothing for ${name}`, {
    place: '--to',
    fix: 'export it with --to gnbench',
  });
}
