// How a convolution, or the gradient of its input, is shared out among threads: directly, by Winograd's filtering or, in
// bfloat16, on a unit that multiplies pairs.
#pragma once
#include "ops/packed-passes.h"
#include "thread-memory.h"

namespace gnbench {

/**
 * A pass's weights in the forms that it may want. Every thread makes its own: between the caches of two cores they would
 * travel for longer than it takes to make them.
 */
class PassWeights {
 public:
  PassWeights(const ConvPass& pass, const float* weights) : pass_(pass), weights_(weights) {}

  const float* plain() const { return weights_; }
  const float* direct() const {
    if (!pass_.transposed) return weights_;
    const int64_t taps = pass_.kernel * pass_.kernel, in = pass_.out.channels, out = pass_.in.channels;
    return ThreadMemory::get<kTransposedMemory>().filled<float>(
        id_, taps * in * out, [&](float* to) { loops().transposeWeights(taps, in, out, weights_, to); });
  }
  const float* winograd() const {
    return ThreadMemory::get<kPackedMemory>().filled<float>(
        id_, loops().winogradSize(pass_), [&](float* to) { loops().winogradWeights(pass_, direct(), to); });
  }
  const uint16_t* pairs() const {
    return ThreadMemory::get<kPackedMemory>().filled<uint16_t>(
        id_, pairLoops()->packedSize(pass_), [&](uint16_t* to) { pairLoops()->pack(pass_, direct(), to); });
  }

 private:
  const ConvPass& pass_;
  const float* weights_;
  const int64_t id_ = ThreadMemory::newId();
};

/** Shares a pass out: images, bands of rows and, if that is not enough for the threads, output channels. */
inline void runConv(OpKernelContext* context, const ConvGeometry& geometry, const ConvPass& pass, const float* x,
                    const PassWeights& weights, const float* addend, float* y) {
  if (isPacked(geometry)) {
    runPacked(context, loops().packedConv, geometry, pass, x, weights.plain(), addend, y);
    return;
  }
  const Plane &in = pass.in, &out = pass.out;
  const int64_t inSize = in.height * in.width * in.channels, outSize = out.height * out.width * out.channels;
  const int threads = convThreads(context, geometry.multiplications());
  const int64_t band = std::min<int64_t>(out.height, 8), bands = (out.height + band - 1) / band;
  int64_t parts = 1;  // of the output channels
  while (geometry.images * bands * parts < 2 * threads && out.channels / loops().lanes % (2 * parts) == 0) parts *= 2;
  const int64_t channels = out.channels / parts;
  parallel(context, threads, geometry.images * bands * parts, [&](int64_t task) {
    const int64_t part = task % parts, index = task / parts % bands, image = task / parts / bands;
    loops().conv(pass, x + image * inSize, weights.direct(), addend ? addend + image * outSize : nullptr, y + image * outSize,
                 index * band, std::min(out.height, (index + 1) * band), part * channels, (part + 1) * channels);
  });
}

/** The same by Winograd's filtering: in float32 or, with the same arithmetic, on bfloat16 as it lies in memory. */
inline void runWinograd(OpKernelContext* context, const ConvGeometry& geometry, const ConvPass& pass, const Tensor& x,
                        const PassWeights& weights, const Tensor* addend, Tensor* y) {
  const int64_t tiles = pass.out.height * pass.out.width / 4, band = std::min<int64_t>(tiles, 64);
  const int64_t bands = (tiles + band - 1) / band, scratch = loops().winogradScratch(pass);
  const int64_t inBytes = tiles * 4 * pass.in.channels * bytesPerValue(x);
  const int64_t outBytes = tiles * 4 * pass.out.channels * bytesPerValue(x);
  const char *from = bytesOf(x), *added = addend ? bytesOf(*addend) : nullptr;
  char* to = bytesOf(y);
  const auto winograd = loops().winograd[formatOf(x)];
  parallel(context, convThreads(context, geometry.multiplications() / 2), geometry.images * bands, [&](int64_t task) {
    const int64_t image = task / bands, begin = task % bands * band;
    winograd(pass, from + image * inBytes, weights.winograd(), added ? added + image * outBytes : nullptr,
             to + image * outBytes, begin, std::min(tiles, begin + band),
             ThreadMemory::get<kTaskMemory>().reserve<float>(scratch));
  });
}

/** In bfloat16 on a unit that multiplies pairs. */
inline void runPairs(OpKernelContext* context, const ConvGeometry& geometry, const ConvPass& pass, const Tensor& x,
                     const PassWeights& weights, const Tensor* addend, Tensor* y) {
  const PairLoops& unit = *pairLoops();
  const Plane &in = pass.in, &out = pass.out;
  const int64_t inSize = in.height * in.width * in.channels, outSize = out.height * out.width * out.channels;
  const int64_t rows = pass.transposed ? (out.height + pass.stride - 1) / pass.stride : out.height;
  // Bands whose scratch copy, three taps wide, stays in the first-level cache.
  const int64_t pixel = (3 * in.channels + 31) / 32 * 32;
  const int64_t fit = std::max<int64_t>(1, 12288 / (std::min(in.width, out.width) * pixel) - 2);
  const int64_t bands = (rows + fit - 1) / fit, band = (rows + bands - 1) / bands;
  const int64_t scratch = unit.scratchSize(pass, band);
  const uint16_t *from = halves(x), *added = addend ? halves(*addend) : nullptr;
  uint16_t* to = reinterpret_cast<uint16_t*>(bytesOf(y));
  const int threads = convThreads(context, geometry.multiplications() / unit.throughputVsFloat32);
  parallel(context, threads, geometry.images * bands, [&](int64_t task) {
    const int64_t image = task / bands, begin = task % bands * band;
    unit.conv(pass, from + image * inSize, weights.pairs(), added ? added + image * outSize : nullptr,
             to + image * outSize, begin, std::min(rows, begin + band),
             ThreadMemory::get<kTaskMemory>().reserve<uint16_t>(scratch));
  });
}

/** True if the unit that multiplies pairs computes the pass as products of packed panels. */
inline bool canPackPairs(const ConvGeometry& geometry, const ConvPass& pass) {
  return pairLoops() != nullptr && pairLoops()->packedConv != nullptr && isPacked(geometry) &&
         pass.in.channels % (pass.transposed ? 2 * loops().lanes : 2) == 0;
}

/** In bfloat16 as products of packed panels; sums of several pieces are in float32 until they are complete. */
inline absl::Status runPackedPairs(OpKernelContext* context, const ConvGeometry& geometry, ConvPass pass, const Tensor& x,
                                   const float* w, const Tensor* addend, Tensor* y) {
  Tensor pairs, wideAddend, wideY;
  TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_BFLOAT16, {geometry.weights()}, &pairs));
  float* weights = reinterpret_cast<float*>(bytesOf(&pairs));
  if (pass.transposed) {
    narrowInto(context, w, &pairs);  // the pass's input channels lie side by side
  } else {
    constexpr int64_t kRows = 64;
    const int64_t columns = pass.out.channels, rows = geometry.weights() / columns / 2;
    parallel(context, threadsFor(context, geometry.weights() * kConversionBytes), (rows + kRows - 1) / kRows, [&](int64_t task) {
      const int64_t first = task * kRows;
      pairLoops()->packPairs(std::min(kRows, rows - first), columns, w + 2 * first * columns, weights + first * columns);
    });
  }
  if (addend) TF_RETURN_IF_ERROR(widened(context, *addend, &wideAddend));
  TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_FLOAT, y->shape(), &wideY));
  pass.in.channels /= 2;
  runPacked(context, pairLoops()->packedConv, geometry, pass, reinterpret_cast<const float*>(bytesOf(x)), weights,
            addend ? wideAddend.flat<float>().data() : nullptr, wideY.flat<float>().data());
  narrowInto(context, wideY.flat<float>().data(), y);
  return absl::OkStatus();
}

/**
 * A pass in the format of x and y, on the best unit there is for it; `w` is the convolution's [kernel, kernel, in, out].
 * In bfloat16 every processor begins with the same values, the weights rounded too, and sums up in float32.
 */
inline absl::Status convolve(OpKernelContext* context, const ConvGeometry& geometry, const ConvPass& pass,
                             const Tensor& x, const float* w, const Tensor* addend, Tensor* y) {
  const bool isFloat = x.dtype() == tensorflow::DT_FLOAT;
  if (!isFloat && canPackPairs(geometry, pass)) return runPackedPairs(context, geometry, pass, x, w, addend, y);
  if (!isFloat && geometry.kernel <= 3 && pairLoops() != nullptr && pass.in.channels % pairLoops()->channelMultiple == 0) {
    runPairs(context, geometry, pass, x, PassWeights(pass, w), addend, y);
    return absl::OkStatus();
  }
  Tensor rounded;
  if (!isFloat) TF_RETURN_IF_ERROR(roundedWeights(context, geometry, w, &rounded));
  const PassWeights weights(pass, isFloat ? w : rounded.flat<float>().data());
  if (canWinograd(geometry, pass)) {
    runWinograd(context, geometry, pass, x, weights, addend, y);
    return absl::OkStatus();
  }
  if (isFloat) {
    runConv(context, geometry, pass, x.flat<float>().data(), weights, addend ? addend->flat<float>().data() : nullptr,
            y->flat<float>().data());
    return absl::OkStatus();
  }
  Tensor wideX, wideAddend, wideY;
  TF_RETURN_IF_ERROR(widened(context, x, &wideX));
  if (addend) TF_RETURN_IF_ERROR(widened(context, *addend, &wideAddend));
  TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_FLOAT, y->shape(), &wideY));
  runConv(context, geometry, pass, wideX.flat<float>().data(), weights,
          addend ? wideAddend.flat<float>().data() : nullptr, wideY.flat<float>().data());
  narrowInto(context, wideY.flat<float>().data(), y);
  return absl::OkStatus();
}

}  // namespace gnbench
