/**
 * The files that are fetched from PyPI, pinned by version and sha256. This table alone decides which TensorFlow runs.
 *
 * To renew it: `pip install --dry-run --report - --only-binary=:all: --platform … 'tensorflow[and-cuda]==…'` prints
 * the files, versions and hashes that fit together.
 */
import type { Variant } from './platform.js';

export const tensorflowVersion = '2.21.0';

/**
 * The Python for which the files are chosen. No demand on the machine: nothing of Python runs, only the library and
 * the C++ headers in the wheel are used, so any Python 3 with pip can fetch it.
 */
export const python = { version: '3.11', implementation: 'cp', abi: 'cp311' };

export interface Wheel {
  name: string;
  /** Why it is fetched. */
  why: string;
  version: string;
  sha256: string;
  /** pip's `--platform`: the tag in the file's name. */
  platform: string;
  /** Bytes of the file, and of the members that are taken from it. */
  size: number;
  unpacked: number;
}

/**
 * The wheels of each variant. For CUDA those of the `and-cuda` extra of the `tensorflow` wheel that are opened in
 * training on one GPU. Left out are CUPTI, which only TensorFlow's profiler opens, NCCL, which only sums over several
 * GPUs, and cuRAND, which TensorFlow never opens.
 */
export const wheels: Record<Variant, Wheel[]> = {
  cpu: [
    {
      name: 'tensorflow-cpu',
      why: 'TensorFlow itself',
      version: tensorflowVersion,
      platform: 'manylinux_2_27_x86_64',
      size: 273_829_956,
      unpacked: 980_000_000,
      sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    },
  ],
  cuda: [
    {
      name: 'tensorflow',
      why: 'TensorFlow itself, with its kernels for the GPU',
      version: tensorflowVersion,
      platform: 'manylinux_2_27_x86_64',
      size: 572_440_367,
      unpacked: 1_420_000_000,
      sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    },
    {
      name: 'nvidia-cublas-cu12',
      why: 'TensorFlow opens cuBLAS and cuBLASLt: matrix products',
      version: '12.9.3.13',
      platform: 'manylinux_2_27_x86_64',
      size: 581_217_458,
      unpacked: 855_000_000,
      sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
    },
    {
      name: 'nvidia-cuda-nvcc-cu12',
      why: "XLA assembles its kernels with ptxas and links libdevice's mathematics into them",
      version: '12.9.86',
      platform: 'manylinux2010_x86_64',
      size: 40_546_229,
      unpacked: 35_000_000,
      sha256: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
    },
    {
      name: 'nvidia-cuda-nvrtc-cu12',
      why: 'cuDNN compiles kernels of its own at run time with it, and so does gnbench',
      version: '12.9.86',
      platform: 'manylinux2010_x86_64',
      size: 89_568_129,
      unpacked: 114_000_000,
      sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
    },
    {
      name: 'nvidia-cuda-runtime-cu12',
      why: "TensorFlow opens CUDA's runtime",
      version: '12.9.79',
      platform: 'manylinux2014_x86_64',
      size: 3_493_179,
      unpacked: 1_000_000,
      sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
    },
    {
      name: 'nvidia-cudnn-cu12',
      why: 'TensorFlow opens cuDNN: convolutions',
      version: '9.28.0.42',
      platform: 'manylinux_2_27_x86_64',
      size: 716_538_495,
      unpacked: 931_000_000,
      sha256: '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
    },
    {
      name: 'nvidia-cufft-cu12',
      why: 'TensorFlow registers no GPU unless it can open it',
      version: '11.4.1.4',
      platform: 'manylinux2014_x86_64',
      size: 200_877_592,
      unpacked: 292_000_000,
      sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
    },
    {
      name: 'nvidia-cusolver-cu12',
      why: 'TensorFlow registers no GPU unless it can open it',
      version: '11.7.5.82',
      platform: 'manylinux_2_27_x86_64',
      size: 338_117_415,
      unpacked: 303_000_000,
      sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
    },
    {
      name: 'nvidia-cusparse-cu12',
      why: 'TensorFlow registers no GPU unless it can open it',
      version: '12.5.10.65',
      platform: 'manylinux2014_x86_64',
      size: 366_465_088,
      unpacked: 488_000_000,
      sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
    },
    {
      name: 'nvidia-nvjitlink-cu12',
      why: 'cuSOLVER and cuSPARSE are linked against it',
      version: '12.9.86',
      platform: 'manylinux2010_x86_64',
      size: 39_748_338,
      unpacked: 97_000_000,
      sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
    },
  ],
};

/** The entry for wheels in `complete.json`: a folder made of other wheels is not taken for these. */
export function pins(list: Wheel[]): Record<string, string> {
  return Object.fromEntries(list.map(({ name, version, sha256 }) => [name, `${version} sha256:${sha256}`]));
}

/** Bytes that must be free to install wheels: what they come to, and the largest download beside it. */
export function neededRoom(list: Wheel[]): number {
  const unpacked = list.reduce((sum, wheel) => sum + wheel.unpacked, 0);
  return unpacked + Math.max(...list.map((wheel) => wheel.size));
}

/** Libraries beside the opened ones: attention and recurrence of cuDNN, other interfaces, NVRTC for old compilers. */
const unopened = /\/lib(cudnn_adv|nvblas|cufftw|cusolverMg|nvrtc(-builtins)?\.alt)\.so/;

/** The members of a wheel that the engine needs: the library, its C++ headers, and what CUDA loads or runs. */
export function isNeeded(member: string): boolean {
  if (unopened.test(member)) return false;
  // 150 of the 268 MB of headers are those of other projects, which TensorFlow's core does not include.
  if (member.startsWith('tensorflow/include/')) return !member.startsWith('tensorflow/include/external/');
  return (
    /^tensorflow\/lib[^/]+\.so(\.\d+)*$/.test(member) ||
    /^nvidia\/[^/]+\/(lib\/[^/]+\.so(\.\d+)*|nvvm\/libdevice\/[^/]+|bin\/ptxas)$/.test(member) ||
    /^[^/]+\.dist-info\/(licenses\/)?[^/]*(LICENSE|License|NOTICE)[^/]*$/.test(member)
  );
}
