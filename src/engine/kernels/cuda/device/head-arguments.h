// The arguments of the kernels at the net's end, for both sides.
#pragma once

/** x: [images, pixels, channels]; y, or dy: [images, channels], of float32. */
struct AverageArguments {
  int images, pixels, channels;
  int slab;  // channels of one block
  const void* from;
  void* to;
};

struct SoftmaxLossArguments {
  int images, classes;
  const float* logits;
  const int* labels;
  float *loss, *errors, *gradient;
  double* losses;  // [images, 2]: each image's loss, and 1 where it is wrong
};
