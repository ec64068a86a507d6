#define GNBENCH_ISA amx
#include "loops/amx/amx-conv-loops.h"
#include "loops/amx/amx-filter-loops.h"

namespace gnbench {
namespace amx {

extern const PairLoops table;
const PairLoops table = {"amx_bf16", 8, 1, amxPackedSize, amxPack, amxScratchSize, amxConv, amxFilterBand, amxFilterSums,
                         amxFilterScratch, amxFilter, amxFilterEnd, nullptr, nullptr, nullptr};

}  // namespace amx
}  // namespace gnbench
