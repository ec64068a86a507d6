/** What is known of a published data set in CIFAR's binary format: one place for names, sizes and checksums. */
export interface CifarVersion {
  name: string;
  title: string;
  /** The folder's name inside the archive and wherever it is kept. */
  folder: string;
  classes: number;
  /** Bytes in front of the pixels, and which of them is the label. */
  labelBytes: number;
  labelAt: number;
  train: string[];
  test: string[];
  /** Images in each file. */
  records: Record<string, number>;
  /** md5 of each published file: what its users compare with, in several independent projects. */
  md5: Record<string, string>;
  archive: { url: string; bytes: number; sha256: string };
  mean: number[];
  std: number[];
}

const cifar10Files = [
  'data_batch_1.bin',
  'data_batch_2.bin',
  'data_batch_3.bin',
  'data_batch_4.bin',
  'data_batch_5.bin',
];

/** Krizhevsky, "Learning multiple layers of features from tiny images", 2009. Mean and std as in fb.resnet.torch. */
export const cifar10: CifarVersion = {
  name: 'cifar10',
  title: 'CIFAR-10',
  folder: 'cifar-10-batches-bin',
  classes: 10,
  labelBytes: 1,
  labelAt: 0,
  train: cifar10Files,
  test: ['test_batch.bin'],
  records: Object.fromEntries([...cifar10Files, 'test_batch.bin'].map((file) => [file, 10_000])),
  md5: {
    'data_batch_1.bin': '5dd7e06a14cb22eb9f671a540d1b7c25',
    'data_batch_2.bin': '5ea93a67294ea407fff1d09f752e9692',
    'data_batch_3.bin': '942cd6a4bcdd0dd3c604fbe906cb4421',
    'data_batch_4.bin': 'ae636b3ba5c66a11e91e8cb52e771fcb',
    'data_batch_5.bin': '53f37980c15c3d472c316c40844f3f0d',
    'test_batch.bin': '803d5f7f4d78ea53de84dbe85f74fb6d',
  },
  archive: {
    url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
    bytes: 170_052_171,
    sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
  },
  mean: [125.3, 123.0, 113.9],
  std: [63.0, 62.1, 66.7],
};
