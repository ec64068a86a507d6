// GnbenchRoiAlign and its gradient (He et al. 2017, arXiv 1703.06870, section 3): a box's part of a feature map, averaged
// into size × size bins of bilinear samples. Each box takes its bins from one of several maps, a pyramid's levels.
#pragma once
#include <cmath>

#include "ops/geometry.h"
#include "ops/registration.h"

namespace gnbench {

/** The four pixels of one sample along one axis: two of them, and their weights; both 0 outside of the map. */
struct AxisSample {
  int64_t low, high;
  float lowWeight, highWeight;
};

struct RoiAttributes {
  int64_t levels = 0, size = 0, sampling = 0;
  std::vector<float> scales;
  bool aligned = false;

  void read(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("N", &levels));
    OP_REQUIRES_OK(context, context->GetAttr("size", &size));
    OP_REQUIRES_OK(context, context->GetAttr("sampling", &sampling));
    OP_REQUIRES_OK(context, context->GetAttr("scales", &scales));
    OP_REQUIRES_OK(context, context->GetAttr("aligned", &aligned));
    OP_REQUIRES(context, size > 0 && sampling >= 0 && static_cast<int64_t>(scales.size()) == levels,
                absl::InvalidArgumentError("size must be positive, sampling not negative, and scales one a level"));
  }
};

/** The samples of one box in one map, as rows of channels with weights, bin by bin. */
class RoiSamples {
 public:
  /** @param box [left, top, right, bottom] in pixels of the image */
  void place(const RoiAttributes& attributes, const float* box, float scale, int64_t height, int64_t width) {
    const float offset = attributes.aligned ? 0.5f : 0.f;
    float sides[2], starts[2];
    for (int axis = 0; axis < 2; axis++) {
      starts[axis] = box[axis] * scale - offset;
      sides[axis] = box[axis + 2] * scale - offset - starts[axis];
      if (!attributes.aligned && !(sides[axis] > 1.f)) sides[axis] = 1.f;
    }
    width_ = width;
    perBin_[0] = along(attributes, starts[0], sides[0], width, &x_);
    perBin_[1] = along(attributes, starts[1], sides[1], height, &y_);
  }

  /** Visits every pixel of a bin with its weight, which adds up to 1 inside of the map: body(pixel, weight). */
  template <class Body>
  void eachPixel(int64_t row, int64_t column, const Body& body) const {
    const float share = 1.f / std::max<int64_t>(1, perBin_[0] * perBin_[1]);
    for (int64_t i = 0; i < perBin_[1]; i++) {
      const AxisSample& y = y_[row * perBin_[1] + i];
      if (y.lowWeight == 0 && y.highWeight == 0) continue;
      for (int64_t j = 0; j < perBin_[0]; j++) {
        const AxisSample& x = x_[column * perBin_[0] + j];
        if (x.lowWeight == 0 && x.highWeight == 0) continue;
        body(y.low * width_ + x.low, y.lowWeight * x.lowWeight * share);
        body(y.low * width_ + x.high, y.lowWeight * x.highWeight * share);
        body(y.high * width_ + x.low, y.highWeight * x.lowWeight * share);
        body(y.high * width_ + x.high, y.highWeight * x.highWeight * share);
      }
    }
  }

 private:
  /** @returns the samples of one bin along this axis */
  static int64_t along(const RoiAttributes& attributes, float start, float side, int64_t length,
                       std::vector<AxisSample>* samples) {
    const float bin = side / attributes.size;
    // A box that is not finite, or larger than any image, has no samples.
    const bool sound = std::isfinite(start) && std::isfinite(bin) && bin < 1e6f;
    const int64_t count = !sound ? 0 : attributes.sampling > 0 ? attributes.sampling : std::max(0, static_cast<int>(std::ceil(bin)));
    samples->resize(attributes.size * count);
    for (int64_t i = 0; i < attributes.size * count; i++) {
      const float at = start + (i / count) * bin + (i % count + 0.5f) * bin / count;
      (*samples)[i] = sampleAt(at, length);
    }
    return count;
  }

  static AxisSample sampleAt(float at, int64_t length) {
    if (!(at >= -1.f && at <= length)) return {0, 0, 0.f, 0.f};
    at = std::max(at, 0.f);
    const int64_t low = static_cast<int64_t>(at);
    if (low >= length - 1) return {length - 1, length - 1, 1.f, 0.f};
    return {low, low + 1, 1.f - (at - low), at - low};
  }

  std::vector<AxisSample> x_, y_;
  int64_t perBin_[2] = {0, 0}, width_ = 0;
};

/** The inputs that both operations share: features of every level, boxes [R, 4], image and level of each box [R]. */
struct RoiInputs {
  tensorflow::OpInputList features;
  const float* boxes;
  const int32_t *images, *levels;
  int64_t count, batch, channels;

  absl::Status read(OpKernelContext* context) {
    TF_RETURN_IF_ERROR(context->input_list("features", &features));
    const Tensor *box, *image, *level;
    TF_RETURN_IF_ERROR(context->input("boxes", &box));
    TF_RETURN_IF_ERROR(context->input("image", &image));
    TF_RETURN_IF_ERROR(context->input("level", &level));
    for (const Tensor& map : features) {
      if (map.dims() != 4 || map.dim_size(0) != features[0].dim_size(0) || map.dim_size(3) != features[0].dim_size(3)) {
        return absl::InvalidArgumentError("features must be [images, height, width, channels], alike in the first and last");
      }
    }
    count = box->dims() == 2 ? box->dim_size(0) : -1;
    if (count < 0 || box->dim_size(1) != 4) return absl::InvalidArgumentError("boxes must be [count, 4]");
    TF_RETURN_IF_ERROR(requireLength("image", *image, count));
    TF_RETURN_IF_ERROR(requireLength("level", *level, count));
    boxes = box->flat<float>().data();
    images = image->flat<int32_t>().data();
    levels = level->flat<int32_t>().data();
    batch = features[0].dim_size(0);
    channels = features[0].dim_size(3);
    for (int64_t i = 0; i < count; i++) {
      if (levels[i] >= static_cast<int64_t>(features.size()) || (levels[i] >= 0 && (images[i] < 0 || images[i] >= batch))) {
        return absl::InvalidArgumentError(absl::StrCat("box ", i, " is of a level or an image that is not there"));
      }
    }
    return absl::OkStatus();
  }
};

class RoiAlignOp : public Operation {
 public:
  explicit RoiAlignOp(OpKernelConstruction* context) : Operation(context) { attributes_.read(context); }

  void compute(OpKernelContext* context) override {
    RoiInputs in;
    OP_REQUIRES_OK(context, in.read(context));
    const int64_t size = attributes_.size, channels = in.channels;
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, {in.count, size, size, channels}, &y));
    float* out = y->flat<float>().data();
    const int64_t bytes = in.count * size * size * channels * 16 * sizeof(float);
    parallel(context, threadsFor(context, bytes), in.count, [&](int64_t roi) {
      float* bins = out + roi * size * size * channels;
      const int32_t level = in.levels[roi];
      if (level < 0) {
        std::fill(bins, bins + size * size * channels, 0.f);
        return;
      }
      const Tensor& map = in.features[level];
      const int64_t height = map.dim_size(1), width = map.dim_size(2);
      const float* pixels = map.flat<float>().data() + in.images[roi] * height * width * channels;
      static thread_local RoiSamples samples;
      static thread_local std::vector<const float*> rows;
      static thread_local std::vector<float> weights;
      samples.place(attributes_, in.boxes + 4 * roi, attributes_.scales[level], height, width);
      for (int64_t bin = 0; bin < size * size; bin++) {
        rows.clear();
        weights.clear();
        samples.eachPixel(bin / size, bin % size, [&](int64_t pixel, float weight) {
          rows.push_back(pixels + pixel * channels);
          weights.push_back(weight);
        });
        loops().weightedSum(rows.size(), rows.data(), weights.data(), channels, bins + bin * channels);
      }
    });
  }

 private:
  RoiAttributes attributes_;
};

class RoiAlignGradOp : public Operation {
 public:
  explicit RoiAlignGradOp(OpKernelConstruction* context) : Operation(context) { attributes_.read(context); }

  void compute(OpKernelContext* context) override {
    RoiInputs in;
    OP_REQUIRES_OK(context, in.read(context));
    const Tensor& gradient = context->input(0);
    const int64_t size = attributes_.size, channels = in.channels;
    OP_REQUIRES_OK(context, requireLength("dy", gradient, in.count * size * size * channels));
    const float* dy = gradient.flat<float>().data();
    std::vector<float*> maps(attributes_.levels);
    for (int64_t level = 0; level < attributes_.levels; level++) {
      Tensor* dx;
      OP_REQUIRES_OK(context, context->allocate_output(level, in.features[level].shape(), &dx));
      maps[level] = dx->flat<float>().data();
      parallelElements(context, dx->NumElements(), sizeof(float), [&](int64_t first, int64_t elements) {
        std::fill(maps[level] + first, maps[level] + first + elements, 0.f);
      });
    }
    // Boxes overlap, so a task takes some channels of all boxes: the order of a pixel's sum is the boxes' order.
    constexpr int64_t kBlock = 64;
    const int64_t tasks = (channels + kBlock - 1) / kBlock;
    const int64_t bytes = in.count * size * size * channels * 16 * sizeof(float);
    parallel(context, threadsFor(context, bytes), tasks, [&](int64_t task) {
      const int64_t first = task * kBlock, block = std::min(kBlock, channels - first);
      static thread_local RoiSamples samples;
      static thread_local std::vector<float*> rows;
      static thread_local std::vector<float> weights;
      for (int64_t roi = 0; roi < in.count; roi++) {
        const int32_t level = in.levels[roi];
        if (level < 0) continue;
        const int64_t height = in.features[level].dim_size(1), width = in.features[level].dim_size(2);
        float* pixels = maps[level] + in.images[roi] * height * width * channels + first;
        samples.place(attributes_, in.boxes + 4 * roi, attributes_.scales[level], height, width);
        for (int64_t bin = 0; bin < size * size; bin++) {
          rows.clear();
          weights.clear();
          samples.eachPixel(bin / size, bin % size, [&](int64_t pixel, float weight) {
            rows.push_back(pixels + pixel * channels);
            weights.push_back(weight);
          });
          loops().weightedScatter(rows.size(), rows.data(), weights.data(), block,
                                  dy + (roi * size * size + bin) * channels + first);
        }
      }
    });
  }

 private:
  RoiAttributes attributes_;
};

REGISTER_OP("GnbenchRoiAlign")
    .Input("features: N * float")
    .Input("boxes: float")
    .Input("image: int32")
    .Input("level: int32")
    .Output("y: float")
    .Attr("N: int >= 1")
    .Attr("size: int")
    .Attr("sampling: int")
    .Attr("scales: list(float)")
    .Attr("aligned: bool")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);
REGISTER_OP("GnbenchRoiAlignGrad")
    .Input("dy: float")
    .Input("features: N * float")
    .Input("boxes: float")
    .Input("image: int32")
    .Input("level: int32")
    .Output("dx: N * float")
    .Attr("N: int >= 1")
    .Attr("size: int")
    .Attr("sampling: int")
    .Attr("scales: list(float)")
    .Attr("aligned: bool")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);
GNBENCH_REGISTER_KERNEL("GnbenchRoiAlign", RoiAlignOp);
GNBENCH_REGISTER_KERNEL("GnbenchRoiAlignGrad", RoiAlignGradOp);

}  // namespace gnbench
