// GnbenchSgd: all variables in one launch, a block for each piece of a variable.
// g += decay · w where the variable decays; v = momentum · v + g; w -= rate · (nesterov ? g + momentum · v : v).
#include "update-arguments.h"

extern "C" __global__ void sgd(SgdArguments a) {
  const Piece piece = a.pieces[blockIdx.x];
  const SgdVariable& variable = a.variables[piece.variable];
  const float rate = *a.rate, decay = variable.decayed ? *a.decay : 0.f;
  for (long long i = piece.begin + threadIdx.x; i < piece.begin + piece.count; i += blockDim.x) {
    const float weight = variable.weight[i];
    const float gradient = variable.gradient[i] + decay * weight;
    const float velocity = a.momentum * variable.velocity[i] + gradient;
    variable.newVelocity[i] = velocity;
    variable.newWeight[i] = weight - rate * (a.nesterov ? gradient + a.momentum * velocity : velocity);
  }
}
