/* AVX-VNNI: four products of bytes summed to int32 at once (vpdpbusd) in 256 bits. */

#include <immintrin.h>

enum { ROWS_AT_ONCE = 4, PANELS_AT_ONCE = 1 };
enum { LEVEL_ZERO = 128, WEIGHT_ZERO = 0 };
typedef uint8_t level;

ALWAYS_INLINE void tile(const level *x, size_t stride, int rows, const int8_t *weights,
                        size_t panel_bytes, int groups, int panels, const int32_t *offset,
                        int32_t *out, size_t out_stride)
{
    (void)panel_bytes, (void)panels;
    __m256i sums[ROWS_AT_ONCE][2];
    for (int row = 0; row < rows; row++)
        for (int half = 0; half < 2; half++)
            sums[row][half] = _mm256_loadu_si256((const __m256i *)(offset + half * 8));
    for (int g = 0; g < groups; g++) {
        const __m256i *w = (const __m256i *)(weights + (size_t)g * PANEL * GROUP);
        __m256i low = _mm256_loadu_si256(w), high = _mm256_loadu_si256(w + 1);
        for (int row = 0; row < rows; row++) {
            int32_t quad;
            memcpy(&quad, x + row * stride + g * GROUP, sizeof quad);
            __m256i four = _mm256_set1_epi32(quad);
            sums[row][0] = _mm256_dpbusd_avx_epi32(sums[row][0], four, low);
            sums[row][1] = _mm256_dpbusd_avx_epi32(sums[row][1], four, high);
        }
    }
    for (int row = 0; row < rows; row++)
        for (int half = 0; half < 2; half++)
            _mm256_storeu_si256((__m256i *)(out + row * out_stride + half * 8), sums[row][half]);
}
