// GnbenchNormalizeGrad: the gradients of GnbenchNormalize. Two passes over dy, x and (for the ReLU's mask) y: sums, then
// dx. With a residual, the first pass writes the masked dy (the residual's gradient), and the second reads that.
#pragma once
#include "ops/blocked-reduction.h"
#include "ops/inputs/normalize.h"
#include "ops/registration.h"

namespace gnbench {

/** The backward pass: sums of dy and dy · x̂, dx. With a residual, dy behind the ReLU is written on the way. */
template <class T>
class NormalizationGradient : public BlockedReduction<NormalizationGradient<T>> {
 public:
  static constexpr int kFactors = 4;  // shift, scale, slope, constant

  NormalizationGradient(const Geometry& geometry, const char* dy, const char* x, const char* y, char* masked, char* dx,
                        const float* gamma, const float* mean, const float* rstd)
      : BlockedReduction<NormalizationGradient>(geometry), dy_(dy), x_(x), y_(y), masked_(masked), dx_(dx), gamma_(gamma),
        mean_(mean), rstd_(rstd) {}

  int64_t scratchSize() const { return 0; }

  void shift(int64_t set, float* factors) const {
    loops().spread(this->geometry_.group, mean_ + set * this->geometry_.groups, factors);
  }

  void reduceChunk(int64_t set, int64_t chunk, const float* shift, double* sums) const {
    const int64_t offset = at(set, chunk);
    std::fill(sums, sums + 2 * channels(), 0.0);
    rowLoops<T>().gradientSum(dy_ + offset, x_ + offset, y_ ? y_ + offset : nullptr, masked_ ? masked_ + offset : nullptr,
                              this->geometry_.rowsOf(chunk), channels(), shift, Sums{sums, sums + channels()});
  }

  bool combine(int64_t set, double* sums, float* factors, double*, bool) const {
    const int64_t groups = this->geometry_.groups;
    loops().gradientStatistics(this->geometry_.group, Sums{sums, sums + channels()}, gamma_, rstd_ + set * groups,
                               factors + channels(), factors + 2 * channels(), factors + 3 * channels());
    return true;
  }

  void apply(int64_t set, int64_t chunk, const float* factors) const {
    const int64_t offset = at(set, chunk);
    rowLoops<T>().gradientAffine(
        (masked_ ? masked_ : dy_) + offset, x_ + offset, y_ && !masked_ ? y_ + offset : nullptr, dx_ + offset,
        this->geometry_.rowsOf(chunk), channels(),
        GradientAffine{factors, factors + channels(), factors + 2 * channels(), factors + 3 * channels()});
  }

 private:
  int64_t channels() const { return this->geometry_.group.channels; }
  int64_t at(int64_t set, int64_t chunk) const { return this->offsetOf(set, chunk, sizeof(T)); }

  const char *dy_, *x_, *y_;
  char *masked_, *dx_;
  const float *gamma_, *mean_, *rstd_;
};

template <class T>
class NormalizeGradOp : public Operation {
 public:
  explicit NormalizeGradOp(OpKernelConstruction* context) : Operation(context) { inputs_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor &dy = context->input(0), &x = context->input(1), &y = context->input(2);
    const Tensor &gamma = context->input(3), &mean = context->input(4), &rstd = context->input(5);
    Geometry geometry;
    OP_REQUIRES_OK(context, inputs_.check(context, &geometry));
    NormalizeGradOutputs outputs;
    OP_REQUIRES_OK(context, outputs.allocate(context, inputs_));
    const int64_t channels = geometry.group.channels;

    const NormalizationGradient<T> gradient{geometry,
                                            bytesOf(dy),
                                            bytesOf(x),
                                            inputs_.relu ? bytesOf(y) : nullptr,
                                            outputs.masked == nullptr ? nullptr : bytesOf(outputs.masked),
                                            bytesOf(outputs.dx),
                                            gamma.flat<float>().data(),
                                            mean.flat<float>().data(),
                                            rstd.flat<float>().data()};
    const int64_t perChunk = gradient.sumsPerChunk(), perSet = gradient.sumsPerSet();
    double* total = ThreadMemory::get<kSumMemory>().template reserve<double>(perChunk + geometry.sets * perSet);
    double* sums = total + perChunk;
    gradient.run(context, threadsFor(context, x.NumElements() * sizeof(T) * (inputs_.relu ? 6 : 5)), sums);
    std::fill(total, total + perChunk, 0.0);
    for (int64_t set = 0; set < geometry.sets; set++) loops().add(perChunk, sums + set * perSet, total);
    loops().round(channels, total, outputs.dbeta->flat<float>().data());
    loops().round(channels, total + channels, outputs.dgamma->flat<float>().data());
  }

 private:
  NormalizeGradInputs inputs_;
};

REGISTER_OP("GnbenchNormalizeGrad")
    .Input("dy: T")
    .Input("x: T")
    .Input("y: T")
    .Input("gamma: float")
    .Input("mean: float")
    .Input("rstd: float")
    .Output("dx: T")
    .Output("dgamma: float")
    .Output("dbeta: float")
    .Output("dresidual: T")
    .Attr("T: {float, bfloat16}")
    .Attr("images_per_group: int >= 1")
    .Attr("channels_per_group: int >= 1")
    .Attr("epsilon: float")
    .Attr("relu: bool")
    .Attr("has_residual: bool")
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle x;
      bool residual;
      TF_RETURN_IF_ERROR(c->WithRankAtLeast(c->input(1), 2, &x));
      TF_RETURN_IF_ERROR(c->GetAttr("has_residual", &residual));
      c->set_output(0, x);
      c->set_output(1, c->input(3));
      c->set_output(2, c->input(3));
      c->set_output(3, residual ? x : c->Vector(0));
      return absl::OkStatus();
    });
GNBENCH_REGISTER_KERNELS("GnbenchNormalizeGrad", NormalizeGradOp);

}  // namespace gnbench
