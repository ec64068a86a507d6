/** Names of tensors as PyTorch's wrappers of a model leave them, all with one word in front. */

// nn.DataParallel and DistributedDataParallel; torch.compile; PyTorch Lightning.
const wrappers = ['module.', '_orig_mod.', 'model.'];

/** The word in front of every name, if there is one of a wrapper. */
export function wrapperOf(names: readonly string[]): string | undefined {
  return wrappers.find((wrapper) => names.length > 0 && names.every((name) => name.startsWith(wrapper)));
}

/** The way to take it off, in Python, before the weights are saved. */
export const unwrap = (wrapper: string): string =>
  `every name begins with "${wrapper}", of a wrapper around the model: save it without, {k.removeprefix("${wrapper}"): v for k, v in state_dict.items()}`;
