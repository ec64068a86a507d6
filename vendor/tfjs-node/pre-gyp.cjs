/** Stands in for `@mapbox/node-pre-gyp`, which TensorFlow.js asks for the path of its native binding and nothing else. */
exports.find = () => {
  throw new Error('open.cjs has to say where the binding is');
};
