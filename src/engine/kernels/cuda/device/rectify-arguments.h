// The arguments of the rectifying kernels, for both sides.
#pragma once

struct RectifyArguments {
  long long elements;
  const void *x, *residual;  // residual may be null; y may be x or residual
  void* y;
};

struct RectifyGradArguments {
  long long elements;
  const void *dy, *y;
  void* dx;  // may be dy
};
