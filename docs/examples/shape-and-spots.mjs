/**
 * A task of two parts: which shape does an image show, and where is the middle of its bright spots, of which every image
 * has another number? Two losses, two metrics, one of them better high, and ragged targets.
 */
const most = 16;
const spot = { spots: { shape: [2], dtype: 'float32' } };

/** In the thread that prepares batches: the places of bright pixels among every fourth, as shares of the sides. */
export const examples = (source, { ragged, writeRagged }) => {
  const targets = ragged(spot, most);
  const [height, width, channels] = source.spec.images.shape;
  return {
    ...source,
    spec: { ...source.spec, ...targets },
    async write(into, at, example, occasion) {
      await source.write(into, at, example, occasion);
      const image = into.images.subarray(at * height * width * channels);
      const spots = [];
      for (let y = 0; y < height; y += 4) {
        for (let x = 0; x < width; x += 4) {
          if (image[(y * width + x) * channels] > 150) spots.push(y / height, x / width);
        }
      }
      writeRagged(targets, into, at, { spots });
    },
  };
};

/** `[N]`: the distance between the middle that is given and that of an image's spots; 0 where there are none. */
function distanceOf(tf, middle, { spots, valid }) {
  const count = tf.maximum(valid.sum(1), 1);
  const wanted = spots.mul(valid.expandDims(2)).sum(1).div(count.expandDims(1));
  return middle.sub(wanted).square().sum(1).add(1e-6).sqrt().mul(valid.max(1));
}

const isRight = (logits, labels) => logits.argMax(1).equal(labels).cast('float32');

export default ({ options: { weight = 1 } }) => ({
  targets: {
    labels: { shape: [], dtype: 'int32' },
    spots: { shape: [most, 2], dtype: 'float32' },
    valid: { shape: [most], dtype: 'float32' },
  },
  logged: { losses: ['shape', 'place'], counts: ['accuracy'] },
  metrics: [
    { name: 'accuracy', unit: '%', better: 'higher', aboutEqual: 0.5 },
    { name: 'distance', unit: '', better: 'lower', aboutEqual: 0.01 },
  ],
  head: (net, { c4 }) => ({ middle: net.dense('middle', net.globalAveragePool(c4), 2) }),
  training({ logits, middle }, targets, { tf }) {
    const right = tf.oneHot(targets.labels, logits.shape[1]);
    const shape = logits.logSoftmax().mul(right).sum(1).mean().neg();
    const place = distanceOf(tf, middle, targets).mean().mul(weight);
    return { losses: { shape, place }, counts: { accuracy: isRight(logits, targets.labels).sum() } };
  },
  predictions: ({ logits, middle }, targets, { tf }) => ({
    right: isRight(logits, targets.labels),
    distance: distanceOf(tf, middle, targets),
  }),
  evaluator() {
    let [done, right, distance] = [0, 0, 0];
    return {
      add(predictions, _targets, rows) {
        done += rows;
        for (const value of predictions.right) right += value;
        for (const value of predictions.distance) distance += value;
      },
      result: () => ({ accuracy: (100 * right) / done, distance: distance / done }),
    };
  },
});
