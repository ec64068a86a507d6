// GnbenchMovingAverage: all running statistics in one launch, a block for each piece of one.
#include "update-arguments.h"

extern "C" __global__ void moving_average(MovingAverageArguments a) {
  const Piece piece = a.pieces[blockIdx.x];
  const AveragedVariable& variable = a.variables[piece.variable];
  for (long long i = piece.begin + threadIdx.x; i < piece.begin + piece.count; i += blockDim.x)
    variable.average[i] = a.momentum * variable.old[i] + variable.weight * variable.value[i];
}
