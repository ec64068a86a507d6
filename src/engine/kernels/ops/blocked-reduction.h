// The order of work that normalizing and its gradient share: sums over the rows of a set, statistics from the sums, then
// one write to every row. As many sets as threads: one task does a whole set, whose second pass finds it in cache. Fewer:
// the chunks of rows are shared out, once for the sums and once for the writing. Both add up in the same order.
#pragma once
#include <numeric>
#include <vector>

#include "ops/geometry.h"
#include "thread-memory.h"

namespace gnbench {

/**
 * `Derived` has kFactors, the number of factors per channel in its affine (the first is the shift that the sums are taken
 * with), scratchSize(), and
 *   shift(set, factors)               sets the shift;
 *   reduceChunk(set, chunk, shift, sums)  sets the two sums per channel over one chunk's rows;
 *   combine(set, sums, factors, scratch, last)  makes the factors from a set's sums; false if it wants to have them
 *                                     again, with the shift that it has set (never when `last`);
 *   apply(set, chunk, factors)        writes one chunk's rows.
 */
template <class Derived>
class BlockedReduction {
 public:
  explicit BlockedReduction(const Geometry& geometry) : geometry_(geometry) {}

  /** `sums`, if not null, receives each set's sums: [sets, chunks, 2, channels], of which the first chunk holds the totals. */
  void run(OpKernelContext* context, int threads, double* sums) const {
    if (threads == 1 || geometry_.sets >= threads) {
      parallel(context, threads, geometry_.sets, [&](int64_t set) { runPerSet(set, sums); });
    } else {
      runPerChunk(context, threads, sums);
    }
  }

  int64_t sumsPerChunk() const { return 2 * geometry_.group.channels; }
  int64_t sumsPerSet() const { return geometry_.chunks * sumsPerChunk(); }

 protected:
  /** Bytes of x before a chunk's first row, for values of `bytes` bytes. */
  int64_t offsetOf(int64_t set, int64_t chunk, int64_t bytes) const {
    return (set * geometry_.group.rows + chunk * geometry_.chunk) * geometry_.group.channels * bytes;
  }

  const Geometry& geometry_;

 private:
  const Derived& derived() const { return static_cast<const Derived&>(*this); }
  int64_t factorsPerSet() const { return Derived::kFactors * geometry_.group.channels; }

  bool finish(int64_t set, double* sums, float* factors, double* scratch, bool last) const {
    for (int64_t chunk = 1; chunk < geometry_.chunks; chunk++)
      loops().add(sumsPerChunk(), sums + chunk * sumsPerChunk(), sums);
    return derived().combine(set, sums, factors, scratch, last);
  }

  void runPerSet(int64_t set, double* allSums) const {
    const int64_t scratchSize = derived().scratchSize(), ownSums = allSums ? 0 : sumsPerSet();
    double* memory = ThreadMemory::get<kTaskMemory>().reserve<double>(scratchSize + ownSums + (factorsPerSet() + 1) / 2);
    double* sums = allSums ? allSums + set * sumsPerSet() : memory + scratchSize;
    float* factors = reinterpret_cast<float*>(memory + scratchSize + ownSums);
    derived().shift(set, factors);
    for (int pass = 0; pass < 2; pass++) {
      for (int64_t chunk = 0; chunk < geometry_.chunks; chunk++)
        derived().reduceChunk(set, chunk, factors, sums + chunk * sumsPerChunk());
      if (finish(set, sums, factors, memory, pass == 1)) break;
    }
    for (int64_t chunk = 0; chunk < geometry_.chunks; chunk++) derived().apply(set, chunk, factors);
  }

  void runPerChunk(OpKernelContext* context, int threads, double* allSums) const {
    const int64_t chunks = geometry_.chunks, scratchSize = derived().scratchSize();
    const int64_t ownSums = allSums ? 0 : geometry_.sets * sumsPerSet();
    double* memory = ThreadMemory::get<kTaskMemory>().reserve<double>(
        scratchSize + ownSums + (geometry_.sets * factorsPerSet() + 1) / 2);
    double* sums = allSums ? allSums : memory + scratchSize;
    float* factors = reinterpret_cast<float*>(memory + scratchSize + ownSums);
    std::vector<int64_t> open(geometry_.sets), again;
    std::iota(open.begin(), open.end(), 0);
    for (const int64_t set : open) derived().shift(set, factors + set * factorsPerSet());
    for (int pass = 0; pass < 2 && !open.empty(); pass++) {
      parallel(context, threads, open.size() * chunks, [&](int64_t task) {
        const int64_t set = open[task / chunks], chunk = task % chunks;
        derived().reduceChunk(set, chunk, factors + set * factorsPerSet(), sums + set * sumsPerSet() + chunk * sumsPerChunk());
      });
      again.clear();
      for (const int64_t set : open) {
        if (!finish(set, sums + set * sumsPerSet(), factors + set * factorsPerSet(), memory, pass == 1)) again.push_back(set);
      }
      open.swap(again);
    }
    parallel(context, threads, geometry_.sets * chunks, [&](int64_t task) {
      derived().apply(task / chunks, task % chunks, factors + task / chunks * factorsPerSet());
    });
  }
};

}  // namespace gnbench
