// GnbenchSgd and GnbenchMovingAverage: all parameters, or all running statistics, updated by one operation. As one node a
// variable, the update of a ResNet-20 takes longer to schedule than to compute.
#pragma once
#include "loops.h"
#include "ops/operation.h"
#include "ops/registration.h"
#include "ops/variables.h"

namespace gnbench {

/** A chunk of one variable, small enough to share the work evenly. */
struct Chunk {
  int variable;
  int64_t start, count;
};

inline std::vector<Chunk> chunksOf(const std::vector<int64_t>& sizes) {
  constexpr int64_t kChunk = 16384;
  std::vector<Chunk> out;
  for (int i = 0; i < static_cast<int>(sizes.size()); i++) {
    for (int64_t start = 0; start < sizes[i]; start += kChunk)
      out.push_back({i, start, std::min(kChunk, sizes[i] - start)});
  }
  return out;
}

/** g += decay · w where the mask says so; v = momentum · v + g; w -= rate · (nesterov ? g + momentum · v : v). */
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
    std::vector<int64_t> sizes(count_);
    int64_t total = 0;
    for (int i = 0; i < count_; i++) {
      const auto &shape = variables.value(i).shape(), &velocity = variables.value(count_ + i).shape();
      const auto& gradient = context->input(2 * count_ + i).shape();
      OP_REQUIRES(context, shape == velocity && shape == gradient,
                  absl::InvalidArgumentError(absl::StrCat("variable ", i, " has shape ", shape.DebugString(),
                                                          ", its velocity ", velocity.DebugString(),
                                                          ", its gradient ", gradient.DebugString())));
      total += sizes[i] = shape.num_elements();
    }
    for (int i = 0; i < 2 * count_; i++) OP_REQUIRES_OK(context, variables.target(context, i, &targets[i]));
    const std::vector<Chunk> work = chunksOf(sizes);
    parallel(context, threadsFor(context, total * 20), work.size(), [&](int64_t task) {
      const Chunk& part = work[task];
      const int w = part.variable, v = count_ + part.variable;
      loops().sgd(part.count, variables.value(w).flat<float>().data() + part.start,
                  variables.value(v).flat<float>().data() + part.start,
                  context->input(2 * count_ + w).flat<float>().data() + part.start,
                  targets[w].flat<float>().data() + part.start, targets[v].flat<float>().data() + part.start,
                  rate.flat<float>()(0), decayMask_[w] ? decay.flat<float>()(0) : 0.f, momentum_, nesterov_);
    });
    for (int i = 0; i < 2 * count_; i++) variables.commit(i, targets[i]);
  }

 private:
  int count_ = 0;
  float momentum_ = 0;
  bool nesterov_ = false;
  std::vector<bool> decayMask_;
};

/**
 * variable = momentum · variable + (1 - momentum) · scale · value. A value has one row a worker, `workers[i]` of them, each
 * as large as the variable: the first worker's counts.
 */
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
    for (int i = 0; i < count_; i++) {
      const Tensor &old = variables.value(i), &value = context->input(count_ + i);
      OP_REQUIRES(context, value.NumElements() == workers_[i] * old.NumElements(),
                  absl::InvalidArgumentError(absl::StrCat("variable ", i, " has shape ", old.shape().DebugString(),
                                                          ", its new value ", value.shape().DebugString(), " of ",
                                                          workers_[i], " workers")));
      Tensor target;
      OP_REQUIRES_OK(context, variables.target(context, i, &target));
      const float *from = old.flat<float>().data(), *add = value.flat<float>().data();
      float* to = target.flat<float>().data();
      const float weight = (1.f - momentum_) * scales_[i];
      for (int64_t j = 0; j < old.NumElements(); j++) to[j] = momentum_ * from[j] + weight * add[j];
      variables.commit(i, target);
    }
  }

 private:
  int count_ = 0;
  float momentum_ = 0;
  std::vector<float> scales_;
  std::vector<int64_t> workers_;
};

REGISTER_OP("GnbenchSgd")
    .Input("variables: N * resource")
    .Input("velocities: N * resource")
    .Input("gradients: N * float")
    .Input("rate: float")
    .Input("weight_decay: float")
    .Attr("N: int >= 1")
    .Attr("momentum: float")
    .Attr("nesterov: bool")
    .Attr("decay_mask: list(bool)")
    .SetIsStateful()
    .SetShapeFn(noOutputs);

REGISTER_OP("GnbenchMovingAverage")
    .Input("variables: N * resource")
    .Input("values: N * float")
    .Attr("N: int >= 1")
    .Attr("momentum: float")
    .Attr("scales: list(float)")
    .Attr("workers: list(int)")
    .SetIsStateful()
    .SetShapeFn(noOutputs);

GNBENCH_REGISTER_KERNEL("GnbenchSgd", SgdOp);
GNBENCH_REGISTER_KERNEL("GnbenchMovingAverage", MovingAverageOp);

}  // namespace gnbench
