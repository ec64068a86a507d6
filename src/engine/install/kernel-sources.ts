/**
 * How `gnbench_ops.node`, the project's own TensorFlow operations, is built: each file with its flags, then linked into
 * one shared object with the two TensorFlow libraries.
 *
 * The loops are compiled once for every instruction set and chosen at run time, so one build serves all machines of an
 * architecture. They include no TensorFlow header: g++ 12 fails on Eigen's AVX512-FP16 code under `-march=native`.
 * The oldest compilers that know every flag are g++ 11 and clang 12.
 */
export interface NativeSource {
  /** File name in engine/kernels/. */
  file: string;
  flags: string[];
}

/** Flags for the loops. None changes a result, except that multiplications may be fused with additions. */
const loops = [
  '-std=c++17',
  '-O3',
  '-fPIC',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-Wno-maybe-uninitialized',
  '-Wno-psabi',
];
const avx2 = [...loops, '-mavx2', '-mfma'];
const avx512 = [...avx2, '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mprefer-vector-width=512'];
const plain = ['-std=c++17', '-O2', '-fPIC', '-DNAPI_VERSION=8'];

const everywhere: NativeSource[] = [
  { file: 'ops.cc', flags: plain },
  { file: 'dispatch.cc', flags: plain },
  { file: 'loops-generic.cc', flags: loops },
];
const x64: NativeSource[] = [
  { file: 'loops-avx2.cc', flags: avx2 },
  { file: 'loops-avx512.cc', flags: avx512 },
  { file: 'loops-avx512-bf16.cc', flags: [...avx512, '-mavx512bf16'] },
  { file: 'loops-amx.cc', flags: [...avx512, '-mavx512bf16', '-mamx-tile', '-mamx-bf16'] },
];

/** The files to compile on this architecture; the builder adds include folders and libraries. */
export const nativeSources: NativeSource[] = process.arch === 'x64' ? [...everywhere, ...x64] : everywhere;
