// The arguments of affine_relu, for both sides.
#pragma once

struct AffineArguments {
  long long elements;
  int channels;
  int relu;
  const void *x, *residual;  // residual may be null; y may be x or residual
  void* y;
  const float *scale, *shift;
};
