/**
 * The folders in which TensorFlow finds CUDA's libraries. `libtensorflow_framework` opens all of them, and its run path names a folder
 * `nvidia/…/lib` for each but cuSOLVER; without that one it registers no GPU. So cuSOLVER gets a second name, in a
 * folder that the run path does have and from which cuSOLVER's own run path leads to what it needs.
 */
import { access, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/** By the link's path in the engine's folder: what it leads to. */
const links: Record<string, string> = {
  'nvidia/cufft/lib/libcusolver.so.11': '../../cusolver/lib/libcusolver.so.11',
};

/** The libraries that TensorFlow has to open before it registers a GPU. */
export const openedLibraries = [
  'libcudart.so.12',
  'libcublas.so.12',
  'libcublasLt.so.12',
  'libcudnn.so.9',
  'libcufft.so.11',
  'libcusolver.so.11',
  'libcusparse.so.12',
];

/** The folders of `nvidia/` in the run path of TensorFlow 2.21's `libtensorflow_framework`. */
export const searchedFolders = [
  'nccl',
  'cuda_cupti',
  'cublas',
  'cudnn',
  'cufft',
  'cusparse',
  'cuda_runtime',
  'nvshmem',
];

/** The links that a folder with these libraries lacks. */
export async function missingLinks(folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (const [link, target] of Object.entries(links)) {
    const library = join(folder, link, '..', target);
    if ((await exists(library)) && !(await exists(join(folder, link)))) missing.push(link);
  }
  return missing;
}

/** Makes them. */
export async function linkLibraries(folder: string): Promise<void> {
  for (const link of await missingLinks(folder)) await symlink(links[link], join(folder, link));
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
