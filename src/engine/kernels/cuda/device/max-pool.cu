// GnbenchMaxPool and its gradient: the largest value of each window, and which of its pixels that is, the first of several;
// a NaN is the largest. A thread for each value that is written.
#include "image-arguments.h"
#include "values.h"

template <class T>
__device__ inline void maxPool(const PoolArguments& a) {
  const long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= a.images * a.outHeight * a.outWidth * a.channels) return;
  const int channel = (int)(index % a.channels);
  const long long pixel = index / a.channels;
  const int left = (int)(pixel % a.outWidth) * a.stride[1] - a.padding[1];
  const int top = (int)(pixel / a.outWidth % a.outHeight) * a.stride[0] - a.padding[0];
  const T* x = (const T*)a.from + pixel / a.outWidth / a.outHeight * a.height * a.width * a.channels + channel;
  float best = 0.f;
  int tap = -1;
  for (int row = max(top, 0); row < min(top + a.kernel[0], a.height); row++) {
    for (int column = max(left, 0); column < min(left + a.kernel[1], a.width); column++) {
      const float value = widen(x[((long long)row * a.width + column) * a.channels]);
      if (tap >= 0 && !(value > best || (value != value && best == best))) continue;
      best = value;
      tap = (row - top) * a.kernel[1] + column - left;
    }
  }
  narrow(best, (T*)a.to + index);
  a.taps[index] = (unsigned char)tap;
}

/** Each pixel gathers from the windows that it lies in, in their order, so that sums are always the same. */
template <class T>
__device__ inline void maxPoolGradient(const PoolArguments& a) {
  const long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= a.images * a.height * a.width * a.channels) return;
  const int channel = (int)(index % a.channels);
  const long long pixel = index / a.channels;
  const int column = (int)(pixel % a.width) + a.padding[1], row = (int)(pixel / a.width % a.height) + a.padding[0];
  const long long image = pixel / a.width / a.height;
  const int firstRow = max(0, (row - a.kernel[0] + a.stride[0]) / a.stride[0]);
  const int firstColumn = max(0, (column - a.kernel[1] + a.stride[1]) / a.stride[1]);
  float sum = 0.f;
  for (int h = firstRow; h <= min(row / a.stride[0], a.outHeight - 1); h++) {
    for (int w = firstColumn; w <= min(column / a.stride[1], a.outWidth - 1); w++) {
      const long long window = ((image * a.outHeight + h) * a.outWidth + w) * a.channels + channel;
      const int tap = (row - h * a.stride[0]) * a.kernel[1] + column - w * a.stride[1];
      if (a.taps[window] == tap) sum += widen(((const T*)a.from)[window]);
    }
  }
  narrow(sum, (T*)a.to + index);
}

extern "C" __global__ void max_pool_float(PoolArguments arguments) { maxPool<float>(arguments); }
extern "C" __global__ void max_pool_bfloat16(PoolArguments arguments) { maxPool<BFloat16>(arguments); }
extern "C" __global__ void max_pool_grad_float(PoolArguments arguments) { maxPoolGradient<float>(arguments); }
extern "C" __global__ void max_pool_grad_bfloat16(PoolArguments arguments) { maxPoolGradient<BFloat16>(arguments); }
