/* AVX-512 VNNI: four products of bytes summed to int32 at once (vpdpbusd) in 512 bits. */

#include <immintrin.h>

enum { ROWS_AT_ONCE = 8, PANELS_AT_ONCE = 2 };
enum { LEVEL_ZERO = 128, WEIGHT_ZERO = 0 };
typedef uint8_t level;

ALWAYS_INLINE void tile(const level *x, size_t stride, int rows, const int8_t *weights,
                        size_t panel_bytes, int groups, int panels, const int32_t *offset,
                        int32_t *out, size_t out_stride)
{
    __m512i sums[ROWS_AT_ONCE][PANELS_AT_ONCE];
    for (int row = 0; row < rows; row++)
        for (int p = 0; p < panels; p++)
            sums[row][p] = _mm512_loadu_si512(offset + p * PANEL);
    for (int g = 0; g < groups; g++) {
        __m512i w[PANELS_AT_ONCE];
        for (int p = 0; p < panels; p++)
            w[p] = _mm512_loadu_si512(weights + p * panel_bytes + (size_t)g * PANEL * GROUP);
        for (int row = 0; row < rows; row++) {
            int32_t quad;
            memcpy(&quad, x + row * stride + g * GROUP, sizeof quad);
            __m512i four = _mm512_set1_epi32(quad);
            for (int p = 0; p < panels; p++)
                sums[row][p] = _mm512_dpbusd_epi32(sums[row][p], four, w[p]);
        }
    }
    for (int row = 0; row < rows; row++)
        for (int p = 0; p < panels; p++)
            _mm512_storeu_si512(out + row * out_stride + p * PANEL, sums[row][p]);
}
