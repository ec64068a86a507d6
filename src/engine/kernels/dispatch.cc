// Chooses the table of loops once, by what the processor and the operating system can do.
#include "loops.h"

#include <cstdlib>
#include <cstring>
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

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
extern const PairLoops pairs;
}
namespace amx {
// Weak: a compiler too old for the tile unit leaves it out.
extern const PairLoops table __attribute__((weak));
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

#if defined(__x86_64__) && defined(__linux__)
/** True if the processor has a tile unit and the operating system grants its use. */
static bool hasTiles() {
  if (&amx::table == nullptr || std::getenv("GNBENCH_ISA") != nullptr) return false;
  if (!__builtin_cpu_supports("amx-tile") || !__builtin_cpu_supports("amx-bf16")) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // Linux: arch_prctl(ARCH_REQ_XCOMP_PERM, …)
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#endif

static const PairLoops* choosePairs() {
#if defined(__x86_64__)
  if (&loops() != &avx512_bf16::table) return nullptr;
#if defined(__linux__)
  if (hasTiles()) return &amx::table;
#endif
  return &avx512_bf16::pairs;
#else
  return nullptr;
#endif
}

const PairLoops* pairLoops() {
  static const PairLoops* const chosen = choosePairs();
  return chosen;
}

const Loops& loops() {
  static const Loops& chosen = choose();
  return chosen;
}

}  // namespace gnbench
