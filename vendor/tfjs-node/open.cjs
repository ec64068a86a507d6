/** Loads TensorFlow.js with the native binding at `path`, once in a process. */
const preGyp = require('./pre-gyp.cjs');

module.exports = (path) => {
  preGyp.find = () => path;
  return require('./dist/index.js');
};
