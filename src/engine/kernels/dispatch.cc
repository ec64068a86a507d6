// Chooses the tables of loops once, by the instruction sets that the processor and the operating system offer and by
// GNBENCH_ISA, which asks for a certain one.
#include <cstdlib>
#include <string>

#include "loops.h"
#include "processor.h"
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
extern const PairLoops table;
}
#endif

namespace {

struct Level {
  const char* name;
  bool available;
  const Loops* loops;
  const PairLoops* pairs;
};

struct Choice {
  const Loops* loops = &generic::table;
  const PairLoops* pairs = nullptr;
  std::string error;
};

#if defined(__x86_64__) && defined(__linux__)
/** Asks Linux for the use of the tile unit, which it grants to a process only on request. */
bool tilesGranted() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // arch_prctl(ARCH_REQ_XCOMP_PERM, …)
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#else
bool tilesGranted() { return false; }
#endif

Choice choose(const std::string& wanted) {
#if defined(__x86_64__)
  const Processor processor;
  const auto tiles = [&] { return processor.amxBf16 && tilesGranted(); };
  const bool all = wanted.empty() || wanted == "amx_bf16";  // the tile unit is asked for only where it may be used
  const Level levels[] = {
      {"generic", true, &generic::table, nullptr},
      {"avx2", processor.avx2, &avx2::table, nullptr},
      {"avx512", processor.avx512, &avx512::table, nullptr},
      {"avx512_bf16", processor.avx512Bf16, &avx512_bf16::table, &avx512_bf16::pairs},
      {"amx_bf16", all && tiles(), &avx512_bf16::table, &amx::table},
  };
#else
  const Level levels[] = {{"generic", true, &generic::table, nullptr}};
#endif
  Choice choice;
  std::string names, usable;
  bool known = false, found = false;
  for (const Level& level : levels) {
    names += (names.empty() ? "" : ", ") + std::string(level.name);
    if (wanted == level.name) known = true;
    if (!level.available) continue;
    usable += (usable.empty() ? "" : ", ") + std::string(level.name);
    if (!wanted.empty() && wanted != level.name) continue;
    found = true;
    choice.loops = level.loops;
    choice.pairs = level.pairs;
  }
  if (!known && !wanted.empty()) {
    choice.error = "GNBENCH_ISA is " + wanted + ", which is not an instruction set of gnbench: it has " + names;
  } else if (!found) {
    choice.error = "GNBENCH_ISA is " + wanted + ", which this processor does not have: it has " + usable;
  }
  return choice;
}

const Choice& chosen() {
  static const Choice choice = [] {
    const char* wanted = std::getenv("GNBENCH_ISA");
    return choose(wanted ? wanted : "");
  }();
  return choice;
}

}  // namespace

const char* dispatchError() { return chosen().error.empty() ? nullptr : chosen().error.c_str(); }

const PairLoops* pairLoops() { return chosen().pairs; }

const Loops& loops() { return *chosen().loops; }

}  // namespace gnbench
