// How the normalizing kernels share out a tensor [sets, rows, channels] among blocks.
#pragma once
#include <algorithm>

#include "cuda/device/normalize-arguments.h"
#include "cuda/grid.h"

namespace gnbench::cuda {

struct NormalizePlan {
  NormalizeShape shape;
  bool oneLaunch;
  int threads;
  int64_t slabs;
};

/** Values that one block goes through in a single launch: about 3 µs, the time that a second launch would take. */
constexpr int64_t kOneBlock = 32768;
/** Threads of a block where two launches share the work; no set has more chunks. */
constexpr int kChunkThreads = 256;

/** Whole groups, as many as come to about `target` channels. */
inline int64_t slabOf(int64_t channels, int64_t channelsPerGroup, int64_t target) {
  return std::min(channels, channelsPerGroup * std::max<int64_t>(1, target / channelsPerGroup));
}

/** `setsOfBlock`: sets that one block goes through in a single launch. */
inline NormalizePlan planNormalize(int64_t sets, int64_t rows, int64_t channels, int64_t channelsPerGroup,
                                   int64_t setsOfBlock) {
  NormalizePlan plan{};
  NormalizeShape& shape = plan.shape;
  shape.sets = static_cast<int>(sets);
  shape.rows = static_cast<int>(rows);
  shape.channels = static_cast<int>(channels);
  shape.channelsPerGroup = static_cast<int>(channelsPerGroup);
  // 32 bytes, the least that a GPU reads at a time: so many blocks, and nothing is read in vain.
  const int64_t narrow = slabOf(channels, channelsPerGroup, 8);
  const int64_t values = narrow * rows * setsOfBlock;
  plan.oneLaunch = values <= kOneBlock;
  if (plan.oneLaunch) {
    plan.threads = static_cast<int>(std::clamp<int64_t>(ceilDivide(narrow * rows, 8 * 32) * 32, 128, 1024));
    shape.slab = static_cast<int>(narrow);
    shape.chunk = shape.rows;
    shape.chunks = 1;
  } else {
    plan.threads = kChunkThreads;
    const int64_t slab = slabOf(channels, channelsPerGroup, 64);
    const int64_t perBlock = std::clamp<int64_t>(sets * rows * channels / 4096, 4096, 65536);
    const int64_t chunk = std::max(ceilDivide(perBlock, slab), ceilDivide(rows, kChunkThreads));
    shape.slab = static_cast<int>(slab);
    shape.chunk = static_cast<int>(std::min(chunk, rows));
    shape.chunks = static_cast<int>(ceilDivide(rows, shape.chunk));
  }
  plan.slabs = ceilDivide(channels, shape.slab);
  return plan;
}

}  // namespace gnbench::cuda
