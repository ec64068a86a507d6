// The attributes and inputs of GnbenchSgd and GnbenchMovingAverage, with the checks that every device's kernel begins with.
#pragma once
#include <vector>

#include "ops/variables.h"

namespace gnbench {

inline absl::Status requireOneEach(const char* name, size_t values, int variables) {
  if (static_cast<int>(values) == variables) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " has ", values, " values for ", variables, " variables"));
}

/** Inputs: `count` variables, their velocities, which are locked behind them, and gradients; the rate and the decay. */
struct SgdInputs {
  int count = 0;
  float momentum = 0;
  bool nesterov = false;
  std::vector<bool> decayMask;

  void read(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("N", &count));
    OP_REQUIRES_OK(context, context->GetAttr("momentum", &momentum));
    OP_REQUIRES_OK(context, context->GetAttr("nesterov", &nesterov));
    OP_REQUIRES_OK(context, context->GetAttr("decay_mask", &decayMask));
    OP_REQUIRES_OK(context, requireOneEach("decay_mask", decayMask.size(), count));
  }

  const Tensor& gradient(OpKernelContext* context, int i) const { return context->input(2 * count + i); }
  const Tensor& rate(OpKernelContext* context) const { return context->input(3 * count); }
  const Tensor& decay(OpKernelContext* context) const { return context->input(3 * count + 1); }

  absl::Status check(OpKernelContext* context, const LockedVariables& variables) const {
    if (rate(context).NumElements() != 1 || decay(context).NumElements() != 1)
      return absl::InvalidArgumentError("rate and weight_decay must be scalars");
    for (int i = 0; i < count; i++) {
      const auto &shape = variables.value(i).shape(), &velocity = variables.value(count + i).shape();
      const auto& given = gradient(context, i).shape();
      if (shape == velocity && shape == given) continue;
      return absl::InvalidArgumentError(absl::StrCat("variable ", i, " has shape ", shape.DebugString(),
                                                     ", its velocity ", velocity.DebugString(), ", its gradient ",
                                                     given.DebugString()));
    }
    return absl::OkStatus();
  }
};

/** Inputs: `count` variables, which come locked, and their values, of which each has one row a worker. */
struct MovingAverageInputs {
  int count = 0;
  float momentum = 0;
  std::vector<float> scales;
  std::vector<int64_t> workers;

  void read(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("N", &count));
    OP_REQUIRES_OK(context, context->GetAttr("momentum", &momentum));
    OP_REQUIRES_OK(context, context->GetAttr("scales", &scales));
    OP_REQUIRES_OK(context, requireOneEach("scales", scales.size(), count));
    OP_REQUIRES_OK(context, context->GetAttr("workers", &workers));
    OP_REQUIRES_OK(context, requireOneEach("workers", workers.size(), count));
  }

  const Tensor& value(OpKernelContext* context, int i) const { return context->input(count + i); }

  /** The weight of a new value. */
  float weight(int i) const { return (1.f - momentum) * scales[i]; }

  absl::Status check(OpKernelContext* context, const LockedVariables& variables) const {
    for (int i = 0; i < count; i++) {
      const Tensor &old = variables.value(i), &given = value(context, i);
      if (given.NumElements() == workers[i] * old.NumElements()) continue;
      return absl::InvalidArgumentError(absl::StrCat("variable ", i, " has shape ", old.shape().DebugString(),
                                                     ", its new value ", given.shape().DebugString(), " of ", workers[i],
                                                     " workers"));
    }
    return absl::OkStatus();
  }
};

}  // namespace gnbench
