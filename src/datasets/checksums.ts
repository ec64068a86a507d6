/** The facts about a published data set in CIFAR's binary format: names, sizes and checksums. */
export interface CifarVersion {
  name: string;
  title: string;
  /** The folder's name inside the archive and wherever it is kept. */
  folder: string;
  /** The name of the folder with Python's pickles of the same images, which are not read. */
  pythonFolder: string;
  classes: number;
  /** In the order of the labels. */
  classNames?: string[];
  /** Bytes in front of the pixels, and which of them is the label. */
  labelBytes: number;
  labelAt: number;
  train: string[];
  test: string[];
  /** Images in each file. */
  records: Record<string, number>;
  /** The checksum of each published file; torchvision-ruby checks downloads against the same ones. */
  sha256: Record<string, string>;
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
  pythonFolder: 'cifar-10-batches-py',
  classes: 10,
  classNames: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  labelBytes: 1,
  labelAt: 0,
  train: cifar10Files,
  test: ['test_batch.bin'],
  records: Object.fromEntries([...cifar10Files, 'test_batch.bin'].map((file) => [file, 10_000])),
  sha256: {
    'data_batch_1.bin': 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5',
    'data_batch_2.bin': 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed',
    'data_batch_3.bin': 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67',
    'data_batch_4.bin': '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48',
    'data_batch_5.bin': '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add',
    'test_batch.bin': '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b',
  },
  archive: {
    url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
    bytes: 170_052_171,
    sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
  },
  mean: [125.3, 123.0, 113.9],
  std: [63.0, 62.1, 66.7],
};

/** CIFAR-100's 100 fine labels; `coarse` are the 20 superclasses of the same images. */
export const cifar100: CifarVersion = {
  name: 'cifar100',
  title: 'CIFAR-100',
  folder: 'cifar-100-binary',
  pythonFolder: 'cifar-100-python',
  classes: 100,
  labelBytes: 2,
  labelAt: 1,
  train: ['train.bin'],
  test: ['test.bin'],
  records: { 'train.bin': 50_000, 'test.bin': 10_000 },
  sha256: {
    'train.bin': 'f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29',
    'test.bin': 'd8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a',
  },
  archive: {
    url: 'https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz',
    bytes: 168_513_733,
    sha256: '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
  },
  mean: [129.3, 124.1, 112.4],
  std: [68.2, 65.4, 70.4],
};

export const cifar100Coarse: CifarVersion = { ...cifar100, classes: 20, labelAt: 0 };

/** The data sets that `gnbench data` knows by name. */
export const versions: Record<string, CifarVersion> = { cifar10, cifar100 };
