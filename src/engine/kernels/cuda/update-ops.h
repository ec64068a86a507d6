// GnbenchSgd and GnbenchMovingAverage on a GPU: one launch for all variables.
#pragma once
#include "cuda/device-table.h"
#include "cuda/grid.h"
#include "ops/inputs/updates.h"
#include "ops/registration.h"

namespace gnbench::cuda {

class SgdOp : public Operation {
 public:
  explicit SgdOp(OpKernelConstruction* context) : Operation(context) { inputs_.read(context); }

  void compute(OpKernelContext* context) override {
    LockedVariables variables;
    const int count = inputs_.count;
    OP_REQUIRES_OK(context, variables.take(context, 0, 2 * count));
    OP_REQUIRES_OK(context, inputs_.check(context, variables));
    std::vector<Tensor> targets(2 * count);
    for (int i = 0; i < 2 * count; i++) OP_REQUIRES_OK(context, variables.target(context, i, &targets[i]));
    std::vector<SgdVariable> table(count);
    std::vector<Piece> pieces;
    for (int i = 0; i < count; i++) {
      table[i] = {floats(variables.value(i)), floats(variables.value(count + i)), floats(inputs_.gradient(context, i)),
                  floats(&targets[i]),        floats(&targets[count + i]),        inputs_.decayMask[i]};
      addPieces(i, variables.value(i).NumElements(), &pieces);
    }
    if (pieces.empty()) return;
    Launcher launcher(context);
    OP_REQUIRES_OK(context, table_.with(context, launcher, table, pieces, [&](const SgdVariable* on, const Piece* work) {
      const SgdArguments arguments{on,
                                   work,
                                   floats(inputs_.rate(context)),
                                   floats(inputs_.decay(context)),
                                   inputs_.momentum,
                                   inputs_.nesterov};
      launcher.launch("sgd", "sgd", {static_cast<int64_t>(pieces.size())}, 256, arguments);
    }));
    for (int i = 0; i < 2 * count; i++) variables.commit(i, targets[i]);
  }

 private:
  SgdInputs inputs_;
  DeviceTable table_;
};

class MovingAverageOp : public Operation {
 public:
  explicit MovingAverageOp(OpKernelConstruction* context) : Operation(context) { inputs_.read(context); }

  void compute(OpKernelContext* context) override {
    LockedVariables variables;
    const int count = inputs_.count;
    OP_REQUIRES_OK(context, variables.take(context, 0, count));
    OP_REQUIRES_OK(context, inputs_.check(context, variables));
    std::vector<Tensor> targets(count);
    std::vector<AveragedVariable> table(count);
    std::vector<Piece> pieces;
    for (int i = 0; i < count; i++) {
      const Tensor& old = variables.value(i);
      OP_REQUIRES_OK(context, variables.target(context, i, &targets[i]));
      table[i] = {floats(old), floats(inputs_.value(context, i)), floats(&targets[i]), inputs_.weight(i)};
      addPieces(i, old.NumElements(), &pieces);
    }
    if (pieces.empty()) return;
    Launcher launcher(context);
    OP_REQUIRES_OK(context,
                   table_.with(context, launcher, table, pieces, [&](const AveragedVariable* on, const Piece* work) {
                     const MovingAverageArguments arguments{on, work, inputs_.momentum};
                     launcher.launch("moving-average", "moving_average", {static_cast<int64_t>(pieces.size())}, 256, arguments);
                   }));
    for (int i = 0; i < count; i++) variables.commit(i, targets[i]);
  }

 private:
  MovingAverageInputs inputs_;
  DeviceTable table_;
};

// The handles of variables are always in the memory of the host.
REGISTER_KERNEL_BUILDER(GNBENCH_CUDA_KERNEL("GnbenchSgd").HostMemory("variables").HostMemory("velocities"), SgdOp);
REGISTER_KERNEL_BUILDER(GNBENCH_CUDA_KERNEL("GnbenchMovingAverage").HostMemory("variables"), MovingAverageOp);

}  // namespace gnbench::cuda
