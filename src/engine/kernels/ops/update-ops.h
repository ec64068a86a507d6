// GnbenchSgd and GnbenchMovingAverage: all parameters, or all running statistics, updated by one operation. As one node a
// variable, the update of a ResNet-20 takes longer to schedule than to compute.
#pragma once
#include "loops.h"
#include "ops/inputs/updates.h"
#include "ops/registration.h"

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
  explicit SgdOp(OpKernelConstruction* context) : Operation(context) { inputs_.read(context); }

  void compute(OpKernelContext* context) override {
    LockedVariables variables;
    const int count = inputs_.count;
    OP_REQUIRES_OK(context, variables.take(context, 0, 2 * count));
    OP_REQUIRES_OK(context, inputs_.check(context, variables));
    std::vector<Tensor> targets(2 * count);
    for (int i = 0; i < 2 * count; i++) OP_REQUIRES_OK(context, variables.target(context, i, &targets[i]));
    std::vector<int64_t> sizes(count);
    int64_t total = 0;
    for (int i = 0; i < count; i++) total += sizes[i] = variables.value(i).NumElements();
    const float rate = inputs_.rate(context).flat<float>()(0), decay = inputs_.decay(context).flat<float>()(0);
    const std::vector<Chunk> work = chunksOf(sizes);
    parallel(context, threadsFor(context, total * 20), work.size(), [&](int64_t task) {
      const Chunk& part = work[task];
      const int w = part.variable, v = count + part.variable;
      loops().sgd(part.count, variables.value(w).flat<float>().data() + part.start,
                  variables.value(v).flat<float>().data() + part.start,
                  inputs_.gradient(context, w).flat<float>().data() + part.start,
                  targets[w].flat<float>().data() + part.start, targets[v].flat<float>().data() + part.start, rate,
                  inputs_.decayMask[w] ? decay : 0.f, inputs_.momentum, inputs_.nesterov);
    });
    for (int i = 0; i < 2 * count; i++) variables.commit(i, targets[i]);
  }

 private:
  SgdInputs inputs_;
};

/**
 * variable = momentum · variable + (1 - momentum) · scale · value. A value has one row a worker, `workers[i]` of them, each
 * as large as the variable: the first worker's counts.
 */
class MovingAverageOp : public Operation {
 public:
  explicit MovingAverageOp(OpKernelConstruction* context) : Operation(context) { inputs_.read(context); }

  void compute(OpKernelContext* context) override {
    LockedVariables variables;
    OP_REQUIRES_OK(context, variables.take(context, 0, inputs_.count));
    OP_REQUIRES_OK(context, inputs_.check(context, variables));
    for (int i = 0; i < inputs_.count; i++) {
      const Tensor& old = variables.value(i);
      Tensor target;
      OP_REQUIRES_OK(context, variables.target(context, i, &target));
      const float *from = old.flat<float>().data(), *add = inputs_.value(context, i).flat<float>().data();
      float* to = target.flat<float>().data();
      const float momentum = inputs_.momentum, weight = inputs_.weight(i);
      for (int64_t j = 0; j < old.NumElements(); j++) to[j] = momentum * from[j] + weight * add[j];
      variables.commit(i, target);
    }
  }

 private:
  MovingAverageInputs inputs_;
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
