#define GNBENCH_ISA avx2
#include "table.h"
