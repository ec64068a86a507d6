// GnbenchSgd and GnbenchMovingAverage on a GPU: one launch for all variables.
#pragma once
#include "cuda/device-table.h"
#include "cuda/grid.h"
#include "ops/registration.h"
#include "ops/variables.h"

namespace gnbench::cuda {

class SgdOp : public Operation {
 public:
  explicit SgdOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("N", &count_));
    OP_REQUIRES_OK(context, context->GetAttr("momentum", &momentum_));
    OP_REQUIRES_OK(context, context->GetAttr("nesterov", &nesterov_));
    OP_REQUIRES_OK(context, context->GetAttr("decay_mask", &decayMask_));
    OP_REQUIRES(context, static_cast<int>(decayMask_.size()) == count_,
                absl::InvalidArgumentError(absl::StrCat("decay_mask has ", decayMask_.size(), " values for ", count_,
                                                        " variables")));
  }

  void compute(OpKernelContext* context) override {
    LockedVariables variables;
    OP_REQUIRES_OK(context, variables.take(context, 0, 2 * count_));
    const Tensor &rate = context->input(3 * count_), &decay = context->input(3 * count_ + 1);
    OP_REQUIRES(context, rate.NumElements() == 1 && decay.NumElements() == 1,
                absl::InvalidArgumentError("rate and weight_decay must be scalars"));
    std::vector<Tensor> targets(2 * count_);
    std::vector<SgdVariable> table(count_);
    std::vector<Piece> pieces;
    for (int i = 0; i < count_; i++) {
      const Tensor &weight = variables.value(i), &velocity = variables.value(count_ + i);
      const Tensor& gradient = context->input(2 * count_ + i);
      OP_REQUIRES(context, weight.shape() == velocity.shape() && weight.shape() == gradient.shape(),
                  absl::InvalidArgumentError(absl::StrCat("variable ", i, " has shape ", weight.shape().DebugString(),
                                                          ", its velocity ", velocity.shape().DebugString(),
                                                          ", its gradient ", gradient.shape().DebugString())));
      OP_REQUIRES_OK(context, variables.target(context, i, &targets[i]));
      OP_REQUIRES_OK(context, variables.target(context, count_ + i, &targets[count_ + i]));
      table[i] = {floats(weight), floats(velocity), floats(gradient), floats(&targets[i]), floats(&targets[count_ + i]),
                  decayMask_[i]};
      addPieces(i, weight.NumElements(), &pieces);
    }
    if (pieces.empty()) return;
    Launcher launcher(context);
    OP_REQUIRES_OK(context, table_.with(context, launcher, table, pieces, [&](const SgdVariable* on, const Piece* work) {
      const SgdArguments arguments{on, work, floats(rate), floats(decay), momentum_, nesterov_};
      launcher.launch("sgd", "sgd", {static_cast<int64_t>(pieces.size())}, 256, arguments);
    }));
    for (int i = 0; i < 2 * count_; i++) variables.commit(i, targets[i]);
  }

 private:
  int count_ = 0;
  float momentum_ = 0;
  bool nesterov_ = false;
  std::vector<bool> decayMask_;
  DeviceTable table_;
};

class MovingAverageOp : public Operation {
 public:
  explicit MovingAverageOp(OpKernelConstruction* context) : Operation(context) {
    OP_REQUIRES_OK(context, context->GetAttr("N", &count_));
    OP_REQUIRES_OK(context, context->GetAttr("momentum", &momentum_));
    OP_REQUIRES_OK(context, context->GetAttr("scales", &scales_));
    OP_REQUIRES(context, static_cast<int>(scales_.size()) == count_,
                absl::InvalidArgumentError(absl::StrCat("scales has ", scales_.size(), " values for ", count_,
                                                        " variables")));
    OP_REQUIRES_OK(context, context->GetAttr("workers", &workers_));
    OP_REQUIRES(context, static_cast<int>(workers_.size()) == count_,
                absl::InvalidArgumentError(absl::StrCat("workers has ", workers_.size(), " values for ", count_,
                                                        " variables")));
  }

  void compute(OpKernelContext* context) override {
    LockedVariables variables;
    OP_REQUIRES_OK(context, variables.take(context, 0, count_));
    std::vector<Tensor> targets(count_);
    std::vector<AveragedVariable> table(count_);
    std::vector<Piece> pieces;
    for (int i = 0; i < count_; i++) {
      const Tensor &old = variables.value(i), &value = context->input(count_ + i);
      OP_REQUIRES(context, value.NumElements() == workers_[i] * old.NumElements(),
                  absl::InvalidArgumentError(absl::StrCat("variable ", i, " has shape ", old.shape().DebugString(),
                                                          ", its new value ", value.shape().DebugString(), " of ",
                                                          workers_[i], " workers")));
      OP_REQUIRES_OK(context, variables.target(context, i, &targets[i]));
      table[i] = {floats(old), floats(value), floats(&targets[i]), (1.f - momentum_) * scales_[i]};
      addPieces(i, old.NumElements(), &pieces);
    }
    if (pieces.empty()) return;
    Launcher launcher(context);
    OP_REQUIRES_OK(context,
                   table_.with(context, launcher, table, pieces, [&](const AveragedVariable* on, const Piece* work) {
                     const MovingAverageArguments arguments{on, work, momentum_};
                     launcher.launch("moving-average", "moving_average", {static_cast<int64_t>(pieces.size())}, 256, arguments);
                   }));
    for (int i = 0; i < count_; i++) variables.commit(i, targets[i]);
  }

 private:
  int count_ = 0;
  float momentum_ = 0;
  std::vector<float> scales_;
  std::vector<int64_t> workers_;
  DeviceTable table_;
};

// The handles of variables are always in the memory of the host.
REGISTER_KERNEL_BUILDER(GNBENCH_CUDA_KERNEL("GnbenchSgd").HostMemory("variables").HostMemory("velocities"), SgdOp);
REGISTER_KERNEL_BUILDER(GNBENCH_CUDA_KERNEL("GnbenchMovingAverage").HostMemory("variables"), MovingAverageOp);

}  // namespace gnbench::cuda
