// The instruction sets that this processor has and that the operating system keeps registers for, asked of CPUID itself:
// compilers differ in which names __builtin_cpu_supports knows.
#pragma once
#if defined(__x86_64__)
#include <cpuid.h>
#include <stdint.h>

namespace gnbench {

struct Processor {
  bool avx2 = false, avx512 = false, avx512Bf16 = false, amxBf16 = false;

  Processor() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !bit(c, 27)) return;  // bit 27: XGETBV may be called
    const bool fma = bit(c, 12), avx = bit(c, 28);
    const uint64_t saved = registersSaved();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
    avx2 = avx && fma && bit(b, 5) && has(saved, kVectors);
    // F, DQ, BW and VL.
    avx512 = avx2 && bit(b, 16) && bit(b, 17) && bit(b, 30) && bit(b, 31) && has(saved, kVectors | kWideVectors);
    const bool tiles = bit(d, 22) && bit(d, 24) && has(saved, kTiles);
    if (a < 1 || !__get_cpuid_count(7, 1, &a, &b, &c, &d)) return;
    avx512Bf16 = avx512 && bit(a, 5);
    amxBf16 = avx512Bf16 && tiles;
  }

 private:
  // Bits of the register XCR0.
  static constexpr uint64_t kVectors = 0x6, kWideVectors = 0xe0, kTiles = 0x60000;

  static bool bit(unsigned word, int index) { return word >> index & 1; }
  static bool has(uint64_t word, uint64_t bits) { return (word & bits) == bits; }
  static uint64_t registersSaved() {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return static_cast<uint64_t>(high) << 32 | low;
  }
};

}  // namespace gnbench
#endif
