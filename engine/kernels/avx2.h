/* AVX2: pairs of int16 products summed to int32 (vpmaddwd), which cannot saturate. */

#include <immintrin.h>

enum { ROWS_AT_ONCE = 4, PANELS_AT_ONCE = 1 };
enum { LEVEL_ZERO = 0, WEIGHT_ZERO = 0 };
typedef int16_t level;

/* Half of a panel: eight outputs, of which each register holds four, two partial sums of each. */
ALWAYS_INLINE void half(const level *x, size_t stride, int rows, const int8_t *weights, int groups,
                        const int32_t *offset, int32_t *out, size_t out_stride)
{
    __m256i sums[ROWS_AT_ONCE][2];
    for (int row = 0; row < rows; row++)
        sums[row][0] = sums[row][1] = _mm256_setzero_si256();
    for (int g = 0; g < groups; g++) {
        const int8_t *w = weights + (size_t)g * PANEL * GROUP;
        __m256i low = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)w));
        __m256i high = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(w + 16)));
        for (int row = 0; row < rows; row++) {
            int64_t quad;
            memcpy(&quad, x + row * stride + g * GROUP, sizeof quad);
            __m256i four = _mm256_set1_epi64x(quad);
            sums[row][0] = _mm256_add_epi32(sums[row][0], _mm256_madd_epi16(low, four));
            sums[row][1] = _mm256_add_epi32(sums[row][1], _mm256_madd_epi16(high, four));
            /* Nothing, but sums that are put off take more registers than there are. */
            __asm__("" : "+x"(sums[row][0]), "+x"(sums[row][1]));
        }
    }
    __m256i start = _mm256_loadu_si256((const __m256i *)offset);
    for (int row = 0; row < rows; row++) {
        __m256i both = _mm256_hadd_epi32(sums[row][0], sums[row][1]);
        both = _mm256_permute4x64_epi64(both, 0xD8);
        _mm256_storeu_si256((__m256i *)(out + row * out_stride), _mm256_add_epi32(both, start));
    }
}

#include "halves.h"
