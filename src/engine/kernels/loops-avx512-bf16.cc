#define GNBENCH_ISA avx512_bf16
#include "table.h"

#include "loops/dot-filter-loops.h"
#include "loops/packed-pair-loops.h"

namespace gnbench {
namespace avx512_bf16 {

extern const PairLoops pairs;
const PairLoops pairs = {"avx512_bf16", 2, 2, dotPackedSize, dotPack, dotScratchSize, dotConv, dotFilterBandOf,
                         dotFilterSums, dotFilterScratch, dotFilter, dotFilterEnd, packPairs, packedConv<Pairs>,
                         packedFilter<PixelPairs>};

}  // namespace avx512_bf16
}  // namespace gnbench
