// The arguments of the kernels that update many variables at once, for both sides. The tables lie in the GPU's memory.
#pragma once

/** The work of one block. */
struct Piece {
  int variable, count;
  long long begin;
};

struct SgdVariable {
  const float *weight, *velocity, *gradient;
  float *newWeight, *newVelocity;  // the old ones, unless somebody still reads those
  int decayed;
};

struct SgdArguments {
  const SgdVariable* variables;
  const Piece* pieces;
  const float *rate, *decay;
  float momentum;
  int nesterov;
};

struct AveragedVariable {
  const float *old, *value;
  float* average;  // the old one, unless somebody still reads that
  float weight;
};

struct MovingAverageArguments {
  const AveragedVariable* variables;
  const Piece* pieces;
  float momentum;
};
