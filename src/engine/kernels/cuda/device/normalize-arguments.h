// The arguments of the normalizing kernels, for both sides. x is [sets, rows, channels]; a set is the images that share
// statistics. A block takes a slab of channels, which holds whole groups, and a chunk of a set's rows.
#pragma once

struct NormalizeShape {
  int sets, rows, channels;
  int channelsPerGroup;
  int slab;   // channels of one block: one group of any width, or groups that its threads have a lane each for
  int chunk;  // rows of one block
  int chunks;
};

struct NormalizeArguments {
  NormalizeShape shape;
  float epsilon;
  int relu;
  const void *x, *residual;  // residual may be null; y may be x or residual
  void* y;
  const float *gamma, *beta;
  float *mean, *rstd, *variance;
  float* partial;  // [sets, chunks, groups, 3]: number, mean and squares of a chunk
  float* shift;    // [sets, groups]
};

struct NormalizeGradArguments {
  NormalizeShape shape;
  const void *dy, *x, *y;  // y: the mask of the ReLU; null where there is none
  void *masked, *dx;       // masked: receives dy behind the ReLU; may be null, or dy itself. dx may be dy, x or y
  const float *gamma, *mean, *rstd;
  float *dgamma, *dbeta;
  float* partial;  // [sets, chunks, channels, 2]
};
