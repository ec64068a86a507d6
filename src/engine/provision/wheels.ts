/**
 * What is fetched from PyPI, pinned by version and sha256. Only this table decides which TensorFlow runs.
 *
 * `abi` is the file that is pinned, not a demand on the machine: nothing of Python runs, only the library and the
 * C++ headers in it are used, so any Python 3 with pip fetches it.
 */
export const tensorflowVersion = '2.21.0';

export interface Wheel {
  name: string;
  version: string;
  sha256: string;
  /** pip's `--platform`. */
  platform: string;
  /** pip's `--implementation cp --abi`; nvidia's wheels have none. */
  abi?: string;
  /** Bytes to download, and bytes on disk of the members that are taken. */
  size: number;
  unpacked: number;
}

const pinned = (
  name: string,
  version: string,
  platform: string,
  size: number,
  unpacked: number,
  sha256: string,
): Wheel => ({ name, version, platform, size, unpacked, sha256 });

/** The wheels of each variant; for CUDA those that the `and-cuda` extra of the `tensorflow` wheel names. */
export const wheels: Record<'cpu' | 'cuda', Wheel[]> = {
  cpu: [
    {
      name: 'tensorflow-cpu',
      version: tensorflowVersion,
      platform: 'manylinux_2_27_x86_64',
      abi: 'cp311',
      size: 273_829_956,
      unpacked: 980_000_000,
      sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    },
  ],
  cuda: [
    {
      name: 'tensorflow',
      version: tensorflowVersion,
      platform: 'manylinux_2_27_x86_64',
      abi: 'cp311',
      size: 573_000_000,
      unpacked: 1_900_000_000,
      sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    },
  ],
};

/** The members of a wheel that the engine needs: the two libraries, the C++ headers, and what CUDA loads or runs. */
export function isNeeded(member: string): boolean {
  if (/^tensorflow\/lib[^/]+\.so(\.\d+)*$/.test(member)) return true;
  if (/^tensorflow\/(THIRD_PARTY_NOTICES\.txt|LICENSE)$/.test(member)) return true;
  // 150 of the 268 MB of headers are sources of other projects that no header of TensorFlow's core reaches.
  if (member.startsWith('tensorflow/include/')) return !member.startsWith('tensorflow/include/external/');
  return /^nvidia\/[^/]+\/(lib\/[^/]+\.so[.\d]*|nvvm\/libdevice\/[^/]+|bin\/ptxas|.*LICENSE[^/]*)$/i.test(
    member,
  );
}

export { pinned };
