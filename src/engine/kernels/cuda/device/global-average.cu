// GnbenchGlobalAverage: the mean over an image's pixels, a block for each image and slab of channels; and its gradient, a
// thread for each element.
#include "block.h"
#include "head-arguments.h"
#include "values.h"

struct PixelSum {
  float value;

  __device__ void add(const PixelSum& other) { value += other.value; }
};

template <class T>
__device__ inline void globalAverage(const AverageArguments& a, PixelSum* memory) {
  const int first = blockIdx.x * a.slab, channels = min(a.slab, a.channels - first);
  const Lanes at(channels);
  const T* x = (const T*)a.from + (long long)blockIdx.y * a.pixels * a.channels + first + at.lane;
  PixelSum all = {0.f};
  for (int pixel = at.row; !at.idle() && pixel < a.pixels; pixel += at.rows)
    all.value += widen(x[(long long)pixel * a.channels]);
  memory[threadIdx.x] = all;
  addRows(at, memory);
  if (at.row == 0)
    ((float*)a.to)[(long long)blockIdx.y * a.channels + first + at.lane] = memory[threadIdx.x].value / (float)a.pixels;
}

template <class T>
__device__ inline void globalAverageGradient(const AverageArguments& a) {
  const long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const long long perImage = (long long)a.pixels * a.channels;
  if (index >= perImage * a.images) return;
  const float dy = ((const float*)a.from)[index / perImage * a.channels + index % a.channels];
  narrow(dy / (float)a.pixels, (T*)a.to + index);
}

extern "C" __global__ void __launch_bounds__(256) global_average_float(AverageArguments arguments) {
  __shared__ PixelSum memory[256];
  globalAverage<float>(arguments, memory);
}
extern "C" __global__ void __launch_bounds__(256) global_average_bfloat16(AverageArguments arguments) {
  __shared__ PixelSum memory[256];
  globalAverage<BFloat16>(arguments, memory);
}
extern "C" __global__ void global_average_grad_float(AverageArguments arguments) {
  globalAverageGradient<float>(arguments);
}
extern "C" __global__ void global_average_grad_bfloat16(AverageArguments arguments) {
  globalAverageGradient<BFloat16>(arguments);
}
