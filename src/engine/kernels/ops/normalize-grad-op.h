// GnbenchNormalizeGrad: the gradients of GnbenchNormalize. Two passes over dy, x and (for the ReLU's mask) y: sums, then
// dx. With a residual, the first pass writes the masked dy (the residual's gradient), and the second reads that.
#pragma once
#include <vector>

#include "ops/geometry.h"
#include "ops/registration.h"

namespace gnbench {

template <class T>
class NormalizeGradOp : public tensorflow::OpKernel {
 public:
  explicit NormalizeGradOp(OpKernelConstruction* context) : OpKernel(context) { attributes_.read(context); }

  void Compute(OpKernelContext* context) override {
    const Tensor &dy = context->input(0), &x = context->input(1), &y = context->input(2);
    const Tensor &gamma = context->input(3), &mean = context->input(4), &rstd = context->input(5);
    Geometry geometry;
    OP_REQUIRES_OK(context, attributes_.geometry(x, &geometry));
    const int64_t channels = geometry.group.channels;
    OP_REQUIRES_OK(context, requireSameShape("dy", dy, x));
    if (attributes_.relu) OP_REQUIRES_OK(context, requireSameShape("y", y, x));
    OP_REQUIRES_OK(context, requireLength("gamma", gamma, channels));
    OP_REQUIRES_OK(context, requireLength("mean", mean, geometry.sets * geometry.groups));
    OP_REQUIRES_OK(context, requireLength("rstd", rstd, geometry.sets * geometry.groups));
    Tensor *dx, *dgamma, *dbeta, *masked = nullptr;
    if (!attributes_.residual) {
      OP_REQUIRES_OK(context, context->allocate_output(3, tensorflow::TensorShape({0}), &masked));
      masked = nullptr;
    } else if (attributes_.relu) {
      OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 3, x.shape(), &masked));
    } else {
      context->set_output(3, dy);
    }
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0, 1, 2}, 0, x.shape(), &dx));
    OP_REQUIRES_OK(context, context->allocate_output(1, gamma.shape(), &dgamma));
    OP_REQUIRES_OK(context, context->allocate_output(2, gamma.shape(), &dbeta));

    std::vector<double> sums((geometry.sets * geometry.chunks + 1) * 2 * channels);
    Run run{geometry,
            bytesOf(dy),
            bytesOf(x),
            attributes_.relu ? bytesOf(y) : nullptr,
            masked == nullptr ? nullptr : bytesOf(masked),
            bytesOf(dx),
            gamma.flat<float>().data(),
            mean.flat<float>().data(),
            rstd.flat<float>().data(),
            sums.data() + 2 * channels};
    const int threads = threadsFor(context, x.NumElements() * sizeof(T) * (attributes_.relu ? 6 : 5));
    if (threads == 1 || geometry.sets >= threads) {
      parallel(context, threads, geometry.sets, [&](int64_t set) { run.whole(set); });
    } else {
      run.inChunks(context, threads);
    }
    for (int64_t set = 0; set < geometry.sets; set++) loops().add(2 * channels, run.sumsOf(set, 0), sums.data());
    loops().round(channels, sums.data(), dbeta->flat<float>().data());
    loops().round(channels, sums.data() + channels, dgamma->flat<float>().data());
  }

 private:
  struct Run {
    const Geometry& geometry;
    const char *dy, *x, *y;
    char *masked, *dx;
    const float *gamma, *mean, *rstd;
    double* sums;  // [sets, chunks, 2, channels]

    const RowLoops& rows() const { return loops().rows[std::is_same<T, float>::value ? kFloat32 : kBFloat16]; }
    double* sumsOf(int64_t set, int64_t chunk) const {
      return sums + (set * geometry.chunks + chunk) * 2 * geometry.group.channels;
    }
    int64_t at(int64_t set, int64_t chunk) const {
      return (set * geometry.group.rows + chunk * geometry.chunk) * geometry.group.channels * sizeof(T);
    }

    void sum(int64_t set, int64_t chunk, const float* shift) const {
      const int64_t channels = geometry.group.channels, offset = at(set, chunk);
      double* out = sumsOf(set, chunk);
      rows().gradientSum(dy + offset, x + offset, y ? y + offset : nullptr, masked ? masked + offset : nullptr,
                         geometry.rowsOf(chunk), channels, shift, Sums{out, out + channels});
    }

    void write(int64_t set, int64_t chunk, const float* affine) const {
      const int64_t channels = geometry.group.channels, offset = at(set, chunk);
      rows().gradientAffine((masked ? masked : dy) + offset, x + offset, y && !masked ? y + offset : nullptr,
                            dx + offset, geometry.rowsOf(chunk), channels,
                            GradientAffine{affine, affine + channels, affine + 2 * channels, affine + 3 * channels});
    }

    /** The set's sums gather in its first chunk's place; `affine` has the shift already. */
    void finish(int64_t set, float* affine) const {
      const int64_t channels = geometry.group.channels;
      double* total = sumsOf(set, 0);
      for (int64_t chunk = 1; chunk < geometry.chunks; chunk++) loops().add(2 * channels, sumsOf(set, chunk), total);
      loops().gradientStatistics(geometry.group, Sums{total, total + channels}, gamma, rstd + set * geometry.groups,
                                 affine + channels, affine + 2 * channels, affine + 3 * channels);
    }

    void whole(int64_t set) const {
      std::vector<float> affine(4 * geometry.group.channels);
      loops().spread(geometry.group, mean + set * geometry.groups, affine.data());
      for (int64_t chunk = 0; chunk < geometry.chunks; chunk++) sum(set, chunk, affine.data());
      finish(set, affine.data());
      for (int64_t chunk = 0; chunk < geometry.chunks; chunk++) write(set, chunk, affine.data());
    }

    void inChunks(OpKernelContext* context, int threads) const {
      const int64_t size = 4 * geometry.group.channels, chunks = geometry.chunks;
      std::vector<float> affines(geometry.sets * size);
      for (int64_t set = 0; set < geometry.sets; set++)
        loops().spread(geometry.group, mean + set * geometry.groups, affines.data() + set * size);
      parallel(context, threads, geometry.sets * chunks,
               [&](int64_t task) { sum(task / chunks, task % chunks, affines.data() + task / chunks * size); });
      for (int64_t set = 0; set < geometry.sets; set++) finish(set, affines.data() + set * size);
      parallel(context, threads, geometry.sets * chunks,
               [&](int64_t task) { write(task / chunks, task % chunks, affines.data() + task / chunks * size); });
    }
  };

  NormalizeAttributes attributes_;
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
