#define GNBENCH_ISA avx512_bf16
#include "table.h"

#include "loops/dot-filter-loops.h"

namespace gnbench {
namespace avx512_bf16 {

extern const PairLoops pairs;
const PairLoops pairs = {"avx512_bf16", 2, 2, dotPackedSize, dotPack, dotScratchSize, dotConv, dotFilterBandOf,
                         dotFilterSums, dotFilterScratch, dotFilter, dotFilterEnd};

}  // namespace avx512_bf16
}  // namespace gnbench
