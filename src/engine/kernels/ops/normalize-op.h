// GnbenchNormalize: statistics over sets of images and groups of channels, the affine, the residual and the ReLU, in two
// passes over x. As many sets as threads: one task does a whole set, whose second pass finds it in cache. Fewer: the
// chunks of rows are shared out, once for the sums and once for the writing.
#pragma once
#include <vector>

#include "ops/geometry.h"
#include "ops/registration.h"

namespace gnbench {

template <class T>
class NormalizeOp : public tensorflow::OpKernel {
 public:
  explicit NormalizeOp(OpKernelConstruction* context) : OpKernel(context) { attributes_.read(context); }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &residual = context->input(1);
    const Tensor &gamma = context->input(2), &beta = context->input(3);
    Geometry geometry;
    OP_REQUIRES_OK(context, attributes_.geometry(x, &geometry));
    OP_REQUIRES_OK(context, requireLength("gamma", gamma, geometry.group.channels));
    OP_REQUIRES_OK(context, requireLength("beta", beta, geometry.group.channels));
    if (attributes_.residual) OP_REQUIRES_OK(context, requireSameShape("residual", residual, x));
    const tensorflow::TensorShape statisticsShape({geometry.sets * geometry.groups});
    Tensor *y, *mean, *rstd, *variance;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0, 1}, 0, x.shape(), &y));
    OP_REQUIRES_OK(context, context->allocate_output(1, statisticsShape, &mean));
    OP_REQUIRES_OK(context, context->allocate_output(2, statisticsShape, &rstd));
    OP_REQUIRES_OK(context, context->allocate_output(3, statisticsShape, &variance));
    if (geometry.sets == 0) return;
    Run run{*this,
            geometry,
            bytesOf(x),
            attributes_.residual ? bytesOf(residual) : nullptr,
            bytesOf(y),
            gamma.flat<float>().data(),
            beta.flat<float>().data(),
            mean->flat<float>().data(),
            rstd->flat<float>().data(),
            variance->flat<float>().data()};
    const int threads = threadsFor(context, x.NumElements() * sizeof(T) * (attributes_.residual ? 4 : 3));
    if (threads == 1 || geometry.sets >= threads) {
      parallel(context, threads, geometry.sets, [&](int64_t set) { run.whole(set); });
    } else {
      run.inChunks(context, threads);
    }
  }

 private:
  struct Run {
    const NormalizeOp& op;
    const Geometry& geometry;
    const char* x;
    const char* residual;
    char* y;
    const float *gamma, *beta;
    float *mean, *rstd, *variance;

    const RowLoops& rows() const { return loops().rows[std::is_same<T, float>::value ? kFloat32 : kBFloat16]; }
    int64_t at(int64_t set, int64_t chunk) const {
      return (set * geometry.group.rows + chunk * geometry.chunk) * geometry.group.channels * sizeof(T);
    }

    void sum(int64_t set, int64_t chunk, const float* shift, double* sums) const {
      const int64_t channels = geometry.group.channels;
      std::fill(sums, sums + 2 * channels, 0.0);
      rows().sum(x + at(set, chunk), geometry.rowsOf(chunk), channels, shift, Sums{sums, sums + channels});
    }

    void write(int64_t set, int64_t chunk, const float* affine) const {
      const int64_t channels = geometry.group.channels, offset = at(set, chunk);
      rows().affine(x + offset, residual ? residual + offset : nullptr, y + offset, geometry.rowsOf(chunk), channels,
                    Affine{affine, affine + channels, affine + 2 * channels}, op.attributes_.relu);
    }

    /** Statistics of a set from its chunks' sums; `affine` starts with the shift. False: sum again with a better one. */
    bool finish(int64_t set, double* sums, float* affine, double* scratch, bool last) const {
      const int64_t channels = geometry.group.channels, first = set * geometry.groups;
      for (int64_t chunk = 1; chunk < geometry.chunks; chunk++)
        loops().add(2 * channels, sums + chunk * 2 * channels, sums);
      return loops().statistics(geometry.group, Sums{sums, sums + channels}, gamma, beta,
                                Statistics{mean + first, rstd + first, variance + first}, affine, affine + channels,
                                affine + 2 * channels, scratch, last);
    }

    int64_t scratchSize() const { return 3 * geometry.groups + geometry.group.channels; }

    void whole(int64_t set) const {
      const int64_t channels = geometry.group.channels;
      std::vector<double> sums(geometry.chunks * 2 * channels), scratch(scratchSize());
      std::vector<float> affine(3 * channels);
      rows().row(x + at(set, 0), channels, affine.data());
      for (int pass = 0; pass < 2; pass++) {
        for (int64_t chunk = 0; chunk < geometry.chunks; chunk++)
          sum(set, chunk, affine.data(), sums.data() + chunk * 2 * channels);
        if (finish(set, sums.data(), affine.data(), scratch.data(), pass == 1)) break;
      }
      for (int64_t chunk = 0; chunk < geometry.chunks; chunk++) write(set, chunk, affine.data());
    }

    void inChunks(OpKernelContext* context, int threads) const {
      const int64_t channels = geometry.group.channels, chunks = geometry.chunks;
      std::vector<double> sums(geometry.sets * chunks * 2 * channels), scratch(scratchSize());
      std::vector<float> affines(geometry.sets * 3 * channels);
      for (int64_t set = 0; set < geometry.sets; set++)
        rows().row(x + at(set, 0), channels, affines.data() + set * 3 * channels);
      std::vector<int64_t> open(geometry.sets);
      for (int64_t set = 0; set < geometry.sets; set++) open[set] = set;
      for (int pass = 0; pass < 2 && !open.empty(); pass++) {
        parallel(context, threads, open.size() * chunks, [&](int64_t task) {
          const int64_t set = open[task / chunks], chunk = task % chunks;
          sum(set, chunk, affines.data() + set * 3 * channels, sums.data() + (set * chunks + chunk) * 2 * channels);
        });
        std::vector<int64_t> again;
        for (const int64_t set : open) {
          if (!finish(set, sums.data() + set * chunks * 2 * channels, affines.data() + set * 3 * channels,
                      scratch.data(), pass == 1))
            again.push_back(set);
        }
        open.swap(again);
      }
      parallel(context, threads, geometry.sets * chunks, [&](int64_t task) {
        const int64_t set = task / chunks;
        write(set, task % chunks, affines.data() + set * 3 * channels);
      });
    }
  };

  NormalizeAttributes attributes_;
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
