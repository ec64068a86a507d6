// The arguments of the kernels on whole images, for both sides.
#pragma once

struct ImagesArguments {
  long long elements;
  int channels;
  const unsigned char* pixels;
  const float *mean, *scale;
  void* y;
};

/** x: [images, height, width, channels]; y: [images, ⌈height / stride⌉, ⌈width / stride⌉, padded]. */
struct SubsampleArguments {
  long long images;
  int height, width, channels, padded, stride;
  const void* from;  // x; of the gradient: dy
  void* to;          // y; of the gradient: dx
};

/** x: [images, height, width, channels]; y and taps: [images, outHeight, outWidth, channels]. */
struct PoolArguments {
  long long images;
  int height, width, channels, outHeight, outWidth;
  int kernel[2], stride[2], padding[2];
  const void* from;  // x; of the gradient: dy
  void* to;          // y; of the gradient: dx
  unsigned char* taps;
};
