/** The types of TensorFlow.js for Node, as far as gnbench needs them: those of TensorFlow.js. */
export * from '@tensorflow/tfjs';
