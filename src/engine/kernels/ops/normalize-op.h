// GnbenchNormalize: statistics over sets of images and groups of channels, the affine, the residual and the ReLU, in two
// passes over x.
#pragma once
#include "ops/blocked-reduction.h"
#include "ops/inputs/normalize.h"
#include "ops/registration.h"

namespace gnbench {

/** The forward pass: sums of x and its square, statistics, y. */
template <class T>
class Normalization : public BlockedReduction<Normalization<T>> {
 public:
  static constexpr int kFactors = 3;  // shift, scale, offset

  Normalization(const Geometry& geometry, bool relu, const char* x, const char* residual, char* y, const float* gamma,
                const float* beta, float* mean, float* rstd, float* variance)
      : BlockedReduction<Normalization>(geometry), relu_(relu), x_(x), residual_(residual), y_(y), gamma_(gamma),
        beta_(beta), mean_(mean), rstd_(rstd), variance_(variance) {}

  int64_t scratchSize() const { return 3 * this->geometry_.groups + channels(); }

  void shift(int64_t set, float* factors) const { rowLoops<T>().row(x_ + at(set, 0), channels(), factors); }

  void reduceChunk(int64_t set, int64_t chunk, const float* shift, double* sums) const {
    std::fill(sums, sums + 2 * channels(), 0.0);
    rowLoops<T>().sum(x_ + at(set, chunk), this->geometry_.rowsOf(chunk), channels(), shift, Sums{sums, sums + channels()});
  }

  bool combine(int64_t set, double* sums, float* factors, double* scratch, bool last) const {
    const int64_t first = set * this->geometry_.groups;
    return loops().statistics(this->geometry_.group, Sums{sums, sums + channels()}, gamma_, beta_,
                              Statistics{mean_ + first, rstd_ + first, variance_ + first}, factors, factors + channels(),
                              factors + 2 * channels(), scratch, last);
  }

  void apply(int64_t set, int64_t chunk, const float* factors) const {
    const int64_t offset = at(set, chunk);
    rowLoops<T>().affine(x_ + offset, residual_ ? residual_ + offset : nullptr, y_ + offset, this->geometry_.rowsOf(chunk),
                         channels(), Affine{factors, factors + channels(), factors + 2 * channels()}, relu_);
  }

 private:
  int64_t channels() const { return this->geometry_.group.channels; }
  int64_t at(int64_t set, int64_t chunk) const { return this->offsetOf(set, chunk, sizeof(T)); }

  const bool relu_;
  const char *x_, *residual_;
  char* y_;
  const float *gamma_, *beta_;
  float *mean_, *rstd_, *variance_;
};

template <class T>
class NormalizeOp : public Operation {
 public:
  explicit NormalizeOp(OpKernelConstruction* context) : Operation(context) { inputs_.read(context); }

  void compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &residual = context->input(1);
    const Tensor &gamma = context->input(2), &beta = context->input(3);
    Geometry geometry;
    OP_REQUIRES_OK(context, inputs_.check(context, &geometry));
    NormalizeOutputs outputs;
    OP_REQUIRES_OK(context, outputs.allocate(context, geometry));
    if (geometry.sets == 0) return;
    const Normalization<T> normalization{geometry,
                                         inputs_.relu,
                                         bytesOf(x),
                                         inputs_.residual ? bytesOf(residual) : nullptr,
                                         bytesOf(outputs.y),
                                         gamma.flat<float>().data(),
                                         beta.flat<float>().data(),
                                         outputs.mean->flat<float>().data(),
                                         outputs.rstd->flat<float>().data(),
                                         outputs.variance->flat<float>().data()};
    normalization.run(context, threadsFor(context, x.NumElements() * sizeof(T) * (inputs_.residual ? 4 : 3)), nullptr);
  }

 private:
  NormalizeInputs inputs_;
};

/** mean and rstd have images / images_per_group × channels / channels_per_group values. */
inline absl::Status statisticsShape(InferenceContext* c, ShapeHandle x, ShapeHandle* out) {
  int64_t images, channels;
  TF_RETURN_IF_ERROR(c->GetAttr("images_per_group", &images));
  TF_RETURN_IF_ERROR(c->GetAttr("channels_per_group", &channels));
  if (!c->RankKnown(x) || !c->ValueKnown(c->Dim(x, 0)) || !c->ValueKnown(c->Dim(x, -1))) {
    *out = c->Vector(InferenceContext::kUnknownDim);
  } else {
    *out = c->Vector(c->Value(c->Dim(x, 0)) / images * (c->Value(c->Dim(x, -1)) / channels));
  }
  return absl::OkStatus();
}

REGISTER_OP("GnbenchNormalize")
    .Input("x: T")
    .Input("residual: T")
    .Input("gamma: float")
    .Input("beta: float")
    .Output("y: T")
    .Output("mean: float")
    .Output("rstd: float")
    .Output("variance: float")
    .Attr("T: {float, bfloat16}")
    .Attr("images_per_group: int >= 1")
    .Attr("channels_per_group: int >= 1")
    .Attr("epsilon: float")
    .Attr("relu: bool")
    .Attr("has_residual: bool")
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle x, statistics;
      TF_RETURN_IF_ERROR(c->WithRankAtLeast(c->input(0), 2, &x));
      TF_RETURN_IF_ERROR(statisticsShape(c, x, &statistics));
      c->set_output(0, x);
      c->set_output(1, statistics);
      c->set_output(2, statistics);
      c->set_output(3, statistics);
      return absl::OkStatus();
    });
GNBENCH_REGISTER_KERNELS("GnbenchNormalize", NormalizeOp);

}  // namespace gnbench
