// GnbenchConv, GnbenchConvBackpropInput and GnbenchConvBackpropFilter: 3×3 and 1×1 convolutions of float32 images,
// [images, height, width, channels], with PyTorch's symmetric padding (kernel / 2). At a few small images per step a
// library's set-up costs as much as the convolution; these have none.
#pragma once
#include <vector>

#include "geometry.h"

namespace gnbench {

/** Shapes of one convolution, checked. */
struct ConvGeometry {
  int64_t images;
  Plane x, y;
  int64_t kernel, stride;

  static int64_t outSize(int64_t size, int64_t kernel, int64_t stride) {
    return (size + kernel / 2 * 2 - kernel) / stride + 1;
  }

  absl::Status check() const {
    if ((kernel != 1 && kernel != 3) || (stride != 1 && stride != 2))
      return absl::InvalidArgumentError(absl::StrCat("kernel ", kernel, " with stride ", stride, ": 1 or 3 with 1 or 2"));
    if (y.channels < 1 || y.channels % 16 != 0 || x.channels < 1)
      return absl::InvalidArgumentError(absl::StrCat(y.channels, " output channels are no multiple of 16"));
    if (x.height < 1 || x.width < 1 || y.height != outSize(x.height, kernel, stride) ||
        y.width != outSize(x.width, kernel, stride))
      return absl::InvalidArgumentError(absl::StrCat("an image of ", x.height, " x ", x.width,
                                                     " pixels does not become one of ", y.height, " x ", y.width));
    return absl::OkStatus();
  }

  ConvPass forward() const { return {x, y, kernel, stride, false, x.channels * y.channels, y.channels, loops().lanes}; }
  ConvPass backward() const {
    const int64_t lanes = loops().lanes;
    return {y, x, kernel, stride, true, y.channels * lanes, lanes, kernel * kernel * y.channels * lanes};
  }
  int64_t weights() const { return kernel * kernel * x.channels * y.channels; }
  int64_t multiplications() const { return images * y.height * y.width * weights(); }
};

inline absl::Status requireRank4(const char* name, const Tensor& tensor) {
  if (tensor.dims() == 4) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " must have four dimensions, not ", tensor.dims()));
}

inline Plane planeOf(const Tensor& tensor) { return {tensor.dim_size(1), tensor.dim_size(2), tensor.dim_size(3)}; }

/** Some 5 µs of arithmetic pay for waking a thread. */
inline int convThreads(OpKernelContext* context, int64_t multiplications) {
  return threadsFor(context, multiplications / 500000 * kWorthAThread);
}

/** Shares a pass out: images, bands of rows and, if that is not enough for the threads, output channels. */
inline void runConv(OpKernelContext* context, const ConvGeometry& geometry, const ConvPass& pass, const float* x,
                    const float* weights, const float* addend, float* y) {
  const Plane &in = pass.in, &out = pass.out;
  const int64_t inSize = in.height * in.width * in.channels, outSize = out.height * out.width * out.channels;
  const int threads = convThreads(context, geometry.multiplications());
  const int64_t band = std::min<int64_t>(out.height, 8), bands = (out.height + band - 1) / band;
  int64_t parts = 1;  // of the output channels
  while (geometry.images * bands * parts < 2 * threads && out.channels / loops().lanes % (2 * parts) == 0) parts *= 2;
  const int64_t channels = out.channels / parts;
  parallel(context, threads, geometry.images * bands * parts, [&](int64_t task) {
    const int64_t part = task % parts, index = task / parts % bands, image = task / parts / bands;
    loops().conv(pass, x + image * inSize, weights, addend ? addend + image * outSize : nullptr, y + image * outSize,
                 index * band, std::min(out.height, (index + 1) * band), part * channels, (part + 1) * channels);
  });
}

class ConvOp : public tensorflow::OpKernel {
 public:
  explicit ConvOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("stride", &stride_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &w = context->input(1);
    OP_REQUIRES_OK(context, requireRank4("x", x));
    OP_REQUIRES_OK(context, requireRank4("w", w));
    const int64_t kernel = w.dim_size(0);
    const Plane in = planeOf(x);
    OP_REQUIRES(context, w.dim_size(1) == kernel && w.dim_size(2) == in.channels,
                absl::InvalidArgumentError(absl::StrCat("weights ", w.shape().DebugString(), " do not fit x ",
                                                        x.shape().DebugString())));
    const Plane out{ConvGeometry::outSize(in.height, kernel, stride_), ConvGeometry::outSize(in.width, kernel, stride_),
                    w.dim_size(3)};
    const ConvGeometry geometry{x.dim_size(0), in, out, kernel, stride_};
    OP_REQUIRES_OK(context, geometry.check());
    Tensor* y;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, {geometry.images, out.height, out.width, out.channels}, &y));
    runConv(context, geometry, geometry.forward(), x.flat<float>().data(), w.flat<float>().data(), nullptr,
            y->flat<float>().data());
  }

 private:
  int64_t stride_ = 1;
};

/** dx = addend + the gradient; the addend is what reaches x by another way, such as a shortcut. */
class ConvBackpropInputOp : public tensorflow::OpKernel {
 public:
  explicit ConvBackpropInputOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("stride", &stride_));
    OP_REQUIRES_OK(context, context->GetAttr("height", &height_));
    OP_REQUIRES_OK(context, context->GetAttr("width", &width_));
    OP_REQUIRES_OK(context, context->GetAttr("has_addend", &hasAddend_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &dy = context->input(0), &w = context->input(1), &addend = context->input(2);
    OP_REQUIRES_OK(context, requireRank4("dy", dy));
    OP_REQUIRES_OK(context, requireRank4("w", w));
    const Plane out = planeOf(dy), in{height_, width_, w.dim_size(2)};
    const ConvGeometry geometry{dy.dim_size(0), in, out, w.dim_size(0), stride_};
    OP_REQUIRES(context, w.dim_size(1) == geometry.kernel && w.dim_size(3) == out.channels,
                absl::InvalidArgumentError(absl::StrCat("weights ", w.shape().DebugString(), " do not fit dy ",
                                                        dy.shape().DebugString())));
    OP_REQUIRES_OK(context, geometry.check());
    OP_REQUIRES(context, in.channels % 16 == 0,
                absl::InvalidArgumentError(absl::StrCat(in.channels, " input channels are no multiple of 16")));
    const tensorflow::TensorShape shape({geometry.images, in.height, in.width, in.channels});
    OP_REQUIRES(context, !hasAddend_ || addend.shape() == shape,
                absl::InvalidArgumentError(absl::StrCat("addend has shape ", addend.shape().DebugString(), ", dx ",
                                                        shape.DebugString())));
    Tensor* dx;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({2}, 0, shape, &dx));
    const float* weights = w.flat<float>().data();
    Tensor packed;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_FLOAT, w.shape(), &packed));
    float* transposed = packed.flat<float>().data();
    loops().transposeWeights(geometry.kernel * geometry.kernel, in.channels, out.channels, weights, transposed);
    runConv(context, geometry, geometry.backward(), dy.flat<float>().data(), transposed,
            hasAddend_ ? addend.flat<float>().data() : nullptr, dx->flat<float>().data());
  }

 private:
  int64_t stride_ = 1, height_ = 0, width_ = 0;
  bool hasAddend_ = false;
};

class ConvBackpropFilterOp : public tensorflow::OpKernel {
 public:
  explicit ConvBackpropFilterOp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("stride", &stride_));
    OP_REQUIRES_OK(context, context->GetAttr("kernel", &kernel_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &dy = context->input(1);
    OP_REQUIRES_OK(context, requireRank4("x", x));
    OP_REQUIRES_OK(context, requireRank4("dy", dy));
    const Plane in = planeOf(x), out = planeOf(dy);
    const ConvGeometry geometry{x.dim_size(0), in, out, kernel_, stride_};
    OP_REQUIRES_OK(context, geometry.check());
    OP_REQUIRES(context, dy.dim_size(0) == geometry.images,
                absl::InvalidArgumentError("x and dy have different numbers of images"));
    Tensor* dw;
    OP_REQUIRES_OK(context, context->allocate_output(0, {kernel_, kernel_, in.channels, out.channels}, &dw));

    // Slices of the images have sums of their own, added up in order. Their number must not depend on the threads.
    constexpr int64_t kBlock = 16, kTasks = 16;
    const int64_t blocks = (in.channels + kBlock - 1) / kBlock, vectors = out.channels / loops().lanes;
    const int64_t outputs = blocks * (out.channels / kBlock);
    const int64_t slices = std::max<int64_t>(1, std::min(geometry.images, kTasks / outputs));
    const int64_t size = geometry.weights();
    float* total = dw->flat<float>().data();
    Tensor others;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_FLOAT, {slices - 1, size}, &others));
    float* rest = others.flat<float>().data();
    if (geometry.images == 0) std::fill(total, total + size, 0.f);
    const auto sliceOf = [&](int64_t slice) { return slice == 0 ? total : rest + (slice - 1) * size; };
    const ConvPass pass = geometry.forward();
    const int64_t xSize = in.height * in.width * in.channels, dySize = out.height * out.width * out.channels;
    const float *xData = x.flat<float>().data(), *dyData = dy.flat<float>().data();
    const int threads = convThreads(context, geometry.multiplications());
    parallel(context, threads, slices * blocks * vectors, [&](int64_t task) {
      const int64_t block = task % blocks, vector = task / blocks % vectors, slice = task / blocks / vectors;
      const int64_t begin = geometry.images * slice / slices, end = geometry.images * (slice + 1) / slices;
      loops().convFilter(pass, xData + begin * xSize, dyData + begin * dySize, end - begin, block * kBlock,
                         std::min(in.channels, (block + 1) * kBlock), vector * loops().lanes, sliceOf(slice));
    });
    for (int64_t slice = 1; slice < slices; slice++) {
      const float* part = sliceOf(slice);
      for (int64_t i = 0; i < size; i++) total[i] += part[i];
    }
  }

 private:
  int64_t stride_ = 1, kernel_ = 3;
};

}  // namespace gnbench
