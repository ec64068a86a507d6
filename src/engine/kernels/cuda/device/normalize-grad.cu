// GnbenchNormalizeGrad: dx = rstd·(γ·dy − mean(γ·dy) − x̂·mean(γ·dy·x̂)), means over the group, dγ = Σ dy·x̂ and dβ = Σ dy, where
// dy counts only behind the ReLU. A small tensor is one launch's work, a block for each slab of channels, which goes
// through the sets in turn; else one launch sums over chunks of rows, and a second adds those up and writes.
#include "place.h"
#include "values.h"

/** Sums of dy and dy·(x − mean). */
struct GradientSums {
  float dy, dyx;

  __device__ void add(const GradientSums& other) {
    dy += other.dy;
    dyx += other.dyx;
  }
};

/** dy behind the ReLU; `masked` receives it where it is wanted. */
template <class T>
__device__ inline float maskedGradient(const NormalizeGradArguments& a, long long index) {
  const T dy = ((const T*)a.dy)[index];
  if (a.y == 0) return widen(dy);
  const float masked = widen(((const T*)a.y)[index]) > 0.f ? widen(dy) : 0.f;
  if (a.masked) narrow(masked, (T*)a.masked + index);
  return masked;
}

/** One channel's sums over the rows [begin, end), of this thread's rows. */
template <class T>
__device__ inline GradientSums sumsOf(const NormalizeGradArguments& a, const Place& place, const Lanes& at, int channel,
                                      int begin, int end) {
  const float mean = a.mean[place.set * place.allGroups() + place.group(channel)];
  GradientSums all = {0.f, 0.f};
  for (int row = begin + at.row; row < end;) {
    GradientSums some = {0.f, 0.f};  // not too many at once, for the digits of a sum of small numbers
    for (int step = 0; step < 64 && row < end; step++, row += at.rows) {
      const long long index = place.at(row, channel);
      const float dy = maskedGradient<T>(a, index);
      some.add({dy, dy * (widen(((const T*)a.x)[index]) - mean)});
    }
    all.add(some);
  }
  return all;
}

/** Writes the rows [begin, end) of dx, with the group's sums of γ·dy and γ·dy·(x − mean). */
template <class T>
__device__ inline void writeRows(const NormalizeGradArguments& a, const Place& place, const Lanes& at, GradientSums group,
                                 int begin, int end) {
  if (at.idle()) return;
  const int index = place.set * place.allGroups() + place.group(at.lane);
  const float mean = a.mean[index], rstd = a.rstd[index];
  const float perElement = 1.f / ((float)place.shape.rows * (float)place.shape.channelsPerGroup);
  const float constant = rstd * group.dy * perElement, slope = rstd * rstd * rstd * group.dyx * perElement;
  for (int channel = at.lane; channel < place.channels; channel += at.lanes) {
    const float scale = a.gamma[place.firstChannel + channel] * rstd;
    for (int row = begin + at.row; row < end; row += at.rows) {
      const long long index = place.at(row, channel);
      const float dy = a.masked ? widen(((const T*)a.masked)[index]) : maskedGradient<T>(a, index);
      const float centered = widen(((const T*)a.x)[index]) - mean;
      narrow(dy * scale - (centered * slope + constant), (T*)a.dx + index);
    }
  }
}

/**
 * One launch. A lane's channels are `lanes` apart; where it has several, their group is the block's only one. dγ and dβ
 * gather over the sets in global memory, each channel's by the one thread that adds to it.
 */
template <class T>
__device__ inline void gradientOfSlab(const NormalizeGradArguments& a, GradientSums* memory) {
  for (int set = 0; set < a.shape.sets; set++) {
    const Place place(a.shape, set, blockIdx.x);
    const Lanes at(place.channels);
    GradientSums group = {0.f, 0.f};
    for (int first = 0; first < place.channels; first += at.lanes) {
      const int channel = first + at.lane;
      const bool has = !at.idle() && channel < place.channels;
      memory[threadIdx.x] = has ? sumsOf<T>(a, place, at, channel, 0, a.shape.rows) : GradientSums{0.f, 0.f};
      addRows(at, memory);
      if (at.row == 0 && has) {
        const int c = place.firstChannel + channel;
        const GradientSums sums = memory[threadIdx.x];
        const float rstd = a.rstd[place.set * place.allGroups() + place.group(channel)];
        a.dbeta[c] = (set == 0 ? 0.f : a.dbeta[c]) + sums.dy;
        a.dgamma[c] = (set == 0 ? 0.f : a.dgamma[c]) + sums.dyx * rstd;
        group.add({a.gamma[c] * sums.dy, a.gamma[c] * sums.dyx});
      }
      __syncthreads();
    }
    memory[threadIdx.x] = group;
    __syncthreads();
    addLanes(at, place.width(at), memory);
    group = memory[place.leader(at)];
    __syncthreads();
    writeRows<T>(a, place, at, group, 0, a.shape.rows);
  }
}

/** The first launch of two, a block for each set, slab and chunk. */
template <class T>
__device__ inline void chunkSums(const NormalizeGradArguments& a, GradientSums* memory) {
  const Place place(a.shape, blockIdx.z, blockIdx.x);
  const Lanes at(place.channels);
  const int chunk = blockIdx.y, begin = chunk * a.shape.chunk, end = min(begin + a.shape.chunk, a.shape.rows);
  for (int first = 0; first < place.channels; first += at.lanes) {
    const int channel = first + at.lane;
    const bool has = !at.idle() && channel < place.channels;
    memory[threadIdx.x] = has ? sumsOf<T>(a, place, at, channel, begin, end) : GradientSums{0.f, 0.f};
    addRows(at, memory);
    if (at.row == 0 && has) {
      const long long row = (long long)place.set * a.shape.chunks + chunk;
      ((GradientSums*)a.partial)[row * a.shape.channels + place.firstChannel + channel] = memory[threadIdx.x];
    }
    __syncthreads();
  }
}

/** The second launch of two: dx. */
template <class T>
__device__ inline void writeChunk(const NormalizeGradArguments& a, GradientSums* memory) {
  const Place place(a.shape, blockIdx.z, blockIdx.x);
  const Lanes at(place.channels);
  const int begin = blockIdx.y * a.shape.chunk, end = min(begin + a.shape.chunk, a.shape.rows);
  const GradientSums* partial = (const GradientSums*)a.partial + (long long)place.set * a.shape.chunks * a.shape.channels;
  GradientSums group = {0.f, 0.f};
  for (int channel = at.lane; !at.idle() && channel < place.channels; channel += at.lanes) {
    const int c = place.firstChannel + channel;
    GradientSums sums = {0.f, 0.f};
    for (int chunk = at.row; chunk < a.shape.chunks; chunk += at.rows)
      sums.add(partial[(long long)chunk * a.shape.channels + c]);
    group.add({a.gamma[c] * sums.dy, a.gamma[c] * sums.dyx});
  }
  memory[threadIdx.x] = group;
  addRows(at, memory);
  addLanes(at, place.width(at), memory);
  writeRows<T>(a, place, at, memory[place.leader(at)], begin, end);
}

/** dγ and dβ, beside the second launch: sums over all sets and chunks. */
__device__ inline void parameterGradients(const NormalizeGradArguments& a, GradientSums* memory) {
  const Place place(a.shape, 0, blockIdx.x);
  const Lanes at(place.channels);
  for (int first = 0; first < place.channels; first += at.lanes) {
    const int channel = first + at.lane, c = place.firstChannel + channel;
    const bool has = !at.idle() && channel < place.channels;
    GradientSums all = {0.f, 0.f};
    for (int row = at.row; has && row < a.shape.sets * a.shape.chunks; row += at.rows) {
      const float rstd = a.rstd[row / a.shape.chunks * place.allGroups() + place.group(channel)];
      const GradientSums sums = ((const GradientSums*)a.partial)[(long long)row * a.shape.channels + c];
      all.add({sums.dy, sums.dyx * rstd});
    }
    memory[threadIdx.x] = all;
    addRows(at, memory);
    if (at.row == 0 && has) {
      a.dbeta[c] = memory[threadIdx.x].dy;
      a.dgamma[c] = memory[threadIdx.x].dyx;
    }
    __syncthreads();
  }
}

#define GNBENCH_NORMALIZE_GRAD(T, suffix)                                                                         \
  extern "C" __global__ void __launch_bounds__(1024) normalize_grad_##suffix(NormalizeGradArguments arguments) {  \
    __shared__ GradientSums memory[1024];                                                                         \
    gradientOfSlab<T>(arguments, memory);                                                                         \
  }                                                                                                               \
  extern "C" __global__ void __launch_bounds__(256) normalize_grad_sums_##suffix(NormalizeGradArguments arguments) { \
    __shared__ GradientSums memory[256];                                                                          \
    chunkSums<T>(arguments, memory);                                                                              \
  }                                                                                                               \
  extern "C" __global__ void __launch_bounds__(256) normalize_grad_apply_##suffix(NormalizeGradArguments arguments) { \
    __shared__ GradientSums memory[256];                                                                          \
    if ((int)blockIdx.y < arguments.shape.chunks) {                                                               \
      writeChunk<T>(arguments, memory);                                                                           \
    } else if (blockIdx.z == 0) {                                                                                 \
      parameterGradients(arguments, memory);                                                                      \
    }                                                                                                             \
  }
GNBENCH_NORMALIZE_GRAD(float, float)
GNBENCH_NORMALIZE_GRAD(BFloat16, bfloat16)
