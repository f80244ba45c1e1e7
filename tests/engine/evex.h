/* The kernel for AVX-VNNI with its instruction in the encoding of AVX-512 VNNI, which does the same:
 * so a processor that has only the latter runs it. */
#include <immintrin.h>

#define __AVXVNNI__ 1
#undef __AVX512BW__
#define _mm256_dpbusd_avx_epi32 _mm256_dpbusd_epi32
