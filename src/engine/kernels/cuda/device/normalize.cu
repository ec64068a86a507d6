// GnbenchNormalize: y = relu?(γ·(x − mean)·rstd + β + residual), with the mean and variance of each group of channels over a
// set of images. A set that is small is one block's work, in one launch; else one launch finds the statistics of each
// chunk of rows, and a second adds them up, each block for itself, and writes y.
#include "place.h"
#include "values.h"

/** Number, mean and sum of squared distances from the mean; of values less the group's shift. */
struct Moments {
  float count, mean, squares;

  /** Chan's combination: it subtracts nothing that is large. */
  __device__ void add(const Moments& other) {
    const float total = count + other.count;
    if (other.count == 0.f) return;
    const float apart = other.mean - mean, share = other.count / total;
    mean += apart * share;
    squares += other.squares + apart * apart * count * share;
    count = total;
  }
};

/**
 * A value near the group's mean, to be subtracted from all: the middle one of three, of which one may be far from the
 * rest. Sums of squares of 1000 ± 1 would lose their digits without it.
 */
template <class T>
__device__ inline float shiftOf(const Place& place, const T* x, int lane) {
  const NormalizeShape& shape = place.shape;
  const int first = place.group(lane) * shape.channelsPerGroup - place.firstChannel;
  const float a = widen(x[place.at(0, first)]);
  const float b = widen(x[place.at(shape.rows / 2, first + shape.channelsPerGroup / 2)]);
  const float c = widen(x[place.at(shape.rows - 1, first + shape.channelsPerGroup - 1)]);
  return fmaxf(fminf(a, b), fminf(fmaxf(a, b), c));
}

/** The moments of the rows [begin, end), of each group: in the entry of its first lane. */
template <class T>
__device__ inline void momentsOf(const Place& place, const Lanes& at, const T* x, float shift, int begin, int end,
                                 Moments* memory) {
  Moments all = {0.f, 0.f, 0.f};
  if (!at.idle()) {
    for (int row = begin + at.row; row < end;) {
      // Not too many at once, for the digits of a sum of small numbers.
      float sum = 0.f, squares = 0.f, count = 0.f;
      for (int step = 0; step < 64 && row < end; step++, row += at.rows) {
        for (int channel = at.lane; channel < place.channels; channel += at.lanes) {
          const float value = widen(x[place.at(row, channel)]) - shift;
          sum += value;
          squares += value * value;
          count += 1.f;
        }
      }
      const float mean = sum / count;
      all.add({count, mean, fmaxf(squares - sum * mean, 0.f)});
    }
  }
  memory[threadIdx.x] = all;
  addRows(at, memory);
  addLanes(at, place.width(at), memory);
}

/** Writes the rows [begin, end) of y from the moments of the whole set. */
template <class T>
__device__ inline void applyRows(const NormalizeArguments& a, const Place& place, const Lanes& at, float shift, int begin,
                                 int end, const Moments* memory, bool writesStatistics) {
  if (at.idle()) return;
  const Moments& all = memory[place.leader(at)];
  const float variance = all.squares / all.count;
  const float rstd = 1.f / sqrtf(variance + a.epsilon);
  if (writesStatistics && at.row == 0 && at.lane == place.leader(at)) {
    const int group = place.set * place.allGroups() + place.group(at.lane);
    a.mean[group] = shift + all.mean;
    a.rstd[group] = rstd;
    a.variance[group] = variance;
  }
  const T *x = (const T*)a.x, *residual = (const T*)a.residual;
  T* y = (T*)a.y;
  for (int channel = at.lane; channel < place.channels; channel += at.lanes) {
    const float scale = a.gamma[place.firstChannel + channel] * rstd;
    const float offset = a.beta[place.firstChannel + channel] - all.mean * scale;
    for (int row = begin + at.row; row < end; row += at.rows) {
      const long long index = place.at(row, channel);
      float value = (widen(x[index]) - shift) * scale + offset;
      if (residual) value += widen(residual[index]);
      narrow(a.relu ? rectified(value) : value, y + index);
    }
  }
}

/** One launch, a block for each set and slab. */
template <class T>
__device__ inline void normalizeSet(const NormalizeArguments& a, Moments* memory) {
  const Place place(a.shape, blockIdx.y, blockIdx.x);
  const Lanes at(place.channels);
  const float shift = shiftOf(place, (const T*)a.x, at.lane);
  momentsOf(place, at, (const T*)a.x, shift, 0, a.shape.rows, memory);
  applyRows<T>(a, place, at, shift, 0, a.shape.rows, memory, true);
}

/** The first launch of two, a block for each set, slab and chunk. */
template <class T>
__device__ inline void chunkMoments(const NormalizeArguments& a, Moments* memory) {
  const Place place(a.shape, blockIdx.z, blockIdx.x);
  const Lanes at(place.channels);
  const int chunk = blockIdx.y, begin = chunk * a.shape.chunk;
  const int end = min(begin + a.shape.chunk, a.shape.rows);
  const float shift = shiftOf(place, (const T*)a.x, at.lane);
  momentsOf(place, at, (const T*)a.x, shift, begin, end, memory);
  if (at.row != 0 || at.lane != place.leader(at)) return;
  const int group = place.group(at.lane), groups = place.allGroups();
  ((Moments*)a.partial)[(place.set * a.shape.chunks + chunk) * groups + group] = memory[threadIdx.x];
  if (chunk == 0) a.shift[place.set * groups + group] = shift;  // y may be written over the values that it is made of
}

/** The second launch of two. */
template <class T>
__device__ inline void applyChunk(const NormalizeArguments& a, Moments* memory) {
  const Place place(a.shape, blockIdx.z, blockIdx.x);
  const Lanes at(place.channels);
  const int begin = blockIdx.y * a.shape.chunk, end = min(begin + a.shape.chunk, a.shape.rows);
  const int group = place.group(at.lane), groups = place.allGroups(), width = place.width(at);
  const Moments* partial = (const Moments*)a.partial + place.set * a.shape.chunks * groups + group;
  // The threads of a group share its chunks.
  const int first = at.row * width + at.lane - place.leader(at);
  Moments all = {0.f, 0.f, 0.f};
  if (!at.idle())
    for (int chunk = first; chunk < a.shape.chunks; chunk += width * at.rows) all.add(partial[chunk * groups]);
  memory[threadIdx.x] = all;
  addRows(at, memory);
  addLanes(at, width, memory);
  applyRows<T>(a, place, at, a.shift[place.set * groups + group], begin, end, memory, blockIdx.y == 0);
}

#define GNBENCH_NORMALIZE(T, suffix)                                                                        \
  extern "C" __global__ void __launch_bounds__(1024) normalize_set_##suffix(NormalizeArguments arguments) { \
    __shared__ Moments memory[1024];                                                                        \
    normalizeSet<T>(arguments, memory);                                                                     \
  }                                                                                                         \
  extern "C" __global__ void __launch_bounds__(256) normalize_moments_##suffix(NormalizeArguments arguments) { \
    __shared__ Moments memory[256];                                                                         \
    chunkMoments<T>(arguments, memory);                                                                     \
  }                                                                                                         \
  extern "C" __global__ void __launch_bounds__(256) normalize_apply_##suffix(NormalizeArguments arguments) { \
    __shared__ Moments memory[256];                                                                         \
    applyChunk<T>(arguments, memory);                                                                       \
  }
GNBENCH_NORMALIZE(float, float)
GNBENCH_NORMALIZE(BFloat16, bfloat16)
