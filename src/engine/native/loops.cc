// Chooses the table of loops once, by what the processor and the operating system can do.
#include "loops.h"

#include <cstdlib>
#include <cstring>

namespace gnbench {

namespace generic {
extern const Loops table;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Loops table;
}
namespace avx512 {
extern const Loops table;
}
namespace avx512_bf16 {
extern const Loops table;
}
#endif

static const Loops& choose() {
#if defined(__x86_64__)
  const char* limit = std::getenv("GNBENCH_ISA");
  const auto allowed = [limit](const char* below) { return limit == nullptr || std::strcmp(limit, below) != 0; };
  if (!allowed("generic")) return generic::table;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && allowed("avx2")) {
    if (__builtin_cpu_supports("avx512bf16") && allowed("avx512")) return avx512_bf16::table;
    return avx512::table;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::table;
#endif
  return generic::table;
}

const Loops& loops() {
  static const Loops& chosen = choose();
  return chosen;
}

}  // namespace gnbench
