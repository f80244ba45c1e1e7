/* What this processor can run, so that the library that is made for it is loaded. */
#include "engine.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>

/* Register state that the system keeps when it changes threads. */
static uint64_t kept(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static int bit(uint32_t value, int at) { return value >> at & 1; }
#endif

int32_t r3_version(void) { return R3_VERSION; }

int32_t r3_processor(void)
{
    int32_t found = 0;
#if defined(__x86_64__) || defined(_M_X64)
    uint32_t a, b, c, d, a1, b1, c1, d1;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !bit(c, 27))
        return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return 0;
    uint64_t state = kept();
    int avx = (state & 0x6) == 0x6, avx512 = (state & 0xE6) == 0xE6;
    uint32_t subleaves = a;
    if (avx && bit(b, 5))
        found |= R3_AVX2;
    if (avx && subleaves >= 1 && __get_cpuid_count(7, 1, &a1, &b1, &c1, &d1) && bit(a1, 4))
        found |= R3_AVX_VNNI;
    int wide = bit(b, 16) && bit(b, 17) && bit(b, 28) && bit(b, 30) && bit(b, 31);
    if (avx512 && wide && bit(c, 11))
        found |= R3_AVX512_VNNI;
#elif defined(__aarch64__)
#if defined(__APPLE__)
    found |= R3_DOT_PRODUCTS; /* of every processor that Apple sells with this instruction set */
#elif defined(_WIN32)
    found |= 0;
#else
    unsigned long getauxval(unsigned long);
    found |= getauxval(16) >> 20 & 1 ? R3_DOT_PRODUCTS : 0; /* AT_HWCAP, HWCAP_ASIMDDP */
#endif
#endif
    return found;
}
