#define GNBENCH_ISA amx
#include "amx-conv-loops.h"
#include "amx-filter-loops.h"

namespace gnbench {
namespace amx {

extern const AmxLoops table;
const AmxLoops table = {amxPackedSize, amxPack, amxScratchSize, amxConv, amxFilterSums,
                        amxFilterScratch, amxFilter, amxFilterEnd};

}  // namespace amx
}  // namespace gnbench
