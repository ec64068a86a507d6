// GnbenchImages: y = (pixel − mean) · scale, per channel; a thread for each value.
#include "image-arguments.h"
#include "values.h"

template <class T>
__device__ inline void images(const ImagesArguments& a) {
  const long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= a.elements) return;
  const int channel = (int)(index % a.channels);
  narrow(((float)a.pixels[index] - a.mean[channel]) * a.scale[channel], (T*)a.y + index);
}

extern "C" __global__ void images_float(ImagesArguments arguments) { images<float>(arguments); }
extern "C" __global__ void images_bfloat16(ImagesArguments arguments) { images<BFloat16>(arguments); }
