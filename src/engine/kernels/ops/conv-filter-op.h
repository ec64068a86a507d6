// GnbenchConvBackpropFilter: the gradient of a convolution's weights.
#pragma once
#include "ops/packed-passes.h"
#include "thread-memory.h"

namespace gnbench {

class ConvBackpropFilterOp : public Operation {
 public:
  explicit ConvBackpropFilterOp(OpKernelConstruction* context) : Operation(context) {
    attributes_.read(context);
    OP_REQUIRES_OK(context, context->GetAttr("kernel", &kernel_));
  }

  void compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &dy = context->input(1);
    OP_REQUIRES_OK(context, requireRank4("x", x));
    OP_REQUIRES_OK(context, requireRank4("dy", dy));
    const Plane in = planeOf(x), out = planeOf(dy);
    const ConvGeometry geometry{x.dim_size(0), in, out, kernel_, attributes_.stride, attributes_.winograd};
    OP_REQUIRES_OK(context, geometry.check());
    OP_REQUIRES(context, dy.dim_size(0) == geometry.images,
                absl::InvalidArgumentError("x and dy have different numbers of images"));
    Tensor* dw;
    OP_REQUIRES_OK(context, context->allocate_output(0, {kernel_, kernel_, in.channels, out.channels}, &dw));

    float* total = dw->flat<float>().data();
    if (geometry.images == 0) std::fill(total, total + geometry.weights(), 0.f);
    if (geometry.images == 0) return;
    const bool isFloat = x.dtype() == tensorflow::DT_FLOAT;
    if (!isFloat && isPacked(geometry) && pairLoops() != nullptr && pairLoops()->packedFilter != nullptr) {
      runPackedFilter(context, pairLoops()->packedFilter, geometry, halves(x), halves(dy), total);
    } else if (!isFloat && kernel_ <= 3 && pairLoops() != nullptr) {
      runPairs(context, geometry, halves(x), halves(dy), total);
    } else if (canWinograd(geometry, geometry.forward()) && std::min(in.channels, out.channels) > loops().lanes) {
      // With a single vector of channels the transforms eat up what they save.
      runWinograd(context, geometry, x, dy, total);
    } else if (isFloat) {
      run(context, geometry, x.flat<float>().data(), dy.flat<float>().data(), total);
    } else {
      Tensor wideX, wideDy;
      OP_REQUIRES_OK(context, widened(context, x, &wideX));
      OP_REQUIRES_OK(context, widened(context, dy, &wideDy));
      run(context, geometry, wideX.flat<float>().data(), wideDy.flat<float>().data(), total);
    }
  }

 private:
  static constexpr int64_t kBlock = 16, kTasks = 16;

  /**
   * Slices of the images have sums of their own, added up in order; `body(slice, first image, images, sums)`. The number
   * of slices must not depend on that of threads.
   */
  template <class Body>
  static void inSlices(OpKernelContext* context, const ConvGeometry& geometry, int threads, int64_t slices,
                       int64_t tasksPerSlice, float* total, const Body& body) {
    const int64_t size = geometry.weights();
    float* rest = ThreadMemory::get<kSumMemory>().reserve<float>((slices - 1) * size);
    parallel(context, threads, slices * tasksPerSlice, [&](int64_t task) {
      const int64_t slice = task / tasksPerSlice;
      const int64_t begin = geometry.images * slice / slices, end = geometry.images * (slice + 1) / slices;
      body(task % tasksPerSlice, begin, end - begin, slice == 0 ? total : rest + (slice - 1) * size);
    });
    for (int64_t slice = 1; slice < slices; slice++) loops().addFloats(size, rest + (slice - 1) * size, total);
  }

  static void run(OpKernelContext* context, const ConvGeometry& geometry, const float* x, const float* dy,
                  float* total) {
    if (isPacked(geometry)) {
      runPackedFilter(context, loops().packedFilter, geometry, x, dy, total);
      return;
    }
    const ConvPass pass = geometry.forward();
    const int64_t blocks = (pass.in.channels + kBlock - 1) / kBlock, vectors = pass.out.channels / loops().lanes;
    const int64_t outputs = blocks * (pass.out.channels / kBlock);
    const int64_t slices = std::max<int64_t>(1, std::min(geometry.images, kTasks / outputs));
    inSlices(context, geometry, convThreads(context, geometry.multiplications()), slices, blocks * vectors, total,
             [&](int64_t task, int64_t first, int64_t images, float* sums) {
               const int64_t block = task % blocks * kBlock;
               loops().convFilter(pass, x + first * sizeOf(pass.in), dy + first * sizeOf(pass.out), images, block,
                                  std::min(pass.in.channels, block + kBlock), task / blocks * loops().lanes, sums);
             });
  }

  static void runWinograd(OpKernelContext* context, const ConvGeometry& geometry, const Tensor& x, const Tensor& dy,
                          float* total) {
    const ConvPass pass = geometry.forward();
    const int64_t parts = pass.out.channels % 32 == 0 ? pass.out.channels / 32 : 1, outputs = pass.out.channels / parts;
    const int64_t tiles = geometry.images * pass.out.height * pass.out.width / 4;
    const int64_t slices = std::max<int64_t>(
        1, std::min({geometry.images, kTasks / parts, tiles / loops().winogradFilterTiles(pass)}));
    const int64_t scratch = loops().winogradFilterScratch(pass, outputs);
    const int64_t inBytes = sizeOf(pass.in) * bytesPerValue(x), outBytes = sizeOf(pass.out) * bytesPerValue(x);
    const char *fromX = bytesOf(x), *fromDy = bytesOf(dy);
    const auto winogradFilter = loops().winogradFilter[formatOf(x)];
    inSlices(context, geometry, convThreads(context, geometry.multiplications() / 2), slices, parts, total,
             [&](int64_t task, int64_t first, int64_t images, float* sums) {
               winogradFilter(pass, fromX + first * inBytes, fromDy + first * outBytes, images, task * outputs, outputs,
                              sums, ThreadMemory::get<kTaskMemory>().reserve<float>(scratch));
             });
  }

  static void runPairs(OpKernelContext* context, const ConvGeometry& geometry, const uint16_t* x, const uint16_t* dy,
                       float* total) {
    const PairLoops& pairs = *pairLoops();
    const ConvPass pass = geometry.forward();
    // Enough images make a slice: a fast unit is done with a few before a thread is awake. And not too many slices, as
    // their sums have to be added up.
    const int64_t most = std::max<int64_t>(2, std::min<int64_t>(kTasks, 160000 / geometry.weights()));
    const int64_t slices = std::max<int64_t>(1, std::min(geometry.images / pairs.throughputVsFloat32, most));
    const FilterBand band = pairs.filterBand(pass);
    const int64_t space = pairs.filterSums(pass) * sizeof(float), height = pass.out.height;
    const int64_t scratch = pairs.filterScratch(pass, band.images, band.rows);
    inSlices(context, geometry, convThreads(context, geometry.multiplications() / pairs.throughputVsFloat32), slices, 1, total,
             [&](int64_t, int64_t first, int64_t images, float* slice) {
               char* memory = ThreadMemory::get<kTaskMemory>().reserve<char>(space + scratch);
               float* sums = reinterpret_cast<float*>(memory);
               for (int64_t n = 0; n < images; n += band.images) {
                 for (int64_t begin = 0; begin < height; begin += band.rows) {
                   pairs.filter(pass, x + (first + n) * sizeOf(pass.in), dy + (first + n) * sizeOf(pass.out),
                                std::min(band.images, images - n), begin, std::min(band.rows, height - begin),
                                n == 0 && begin == 0, sums, memory + space);
                 }
               }
               pairs.filterEnd(pass, sums, slice);
             });
  }

  static int64_t sizeOf(const Plane& plane) { return plane.height * plane.width * plane.channels; }

  ConvAttributes attributes_;
  int64_t kernel_ = 3;
};

REGISTER_OP("GnbenchConvBackpropFilter")
    .Input("x: T")
    .Input("dy: T")
    .Output("dw: float")
    .Attr("T: {float, bfloat16} = DT_FLOAT")
    .Attr("stride: int")
    .Attr("winograd: bool = false")
    .Attr("kernel: int")
    .SetShapeFn([](InferenceContext* c) {
      int64_t kernel;
      TF_RETURN_IF_ERROR(c->GetAttr("kernel", &kernel));
      ShapeHandle x, dy;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &x));
      TF_RETURN_IF_ERROR(c->WithRank(c->input(1), 4, &dy));
      c->set_output(0, c->MakeShape({c->MakeDim(kernel), c->MakeDim(kernel), c->Dim(x, 3), c->Dim(dy, 3)}));
      return absl::OkStatus();
    });
GNBENCH_REGISTER_KERNEL("GnbenchConvBackpropFilter", ConvBackpropFilterOp);

}  // namespace gnbench
