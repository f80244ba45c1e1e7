/* NEON with dot products: four products of bytes summed to int32 at once (sdot) in 128 bits. */

#include <arm_neon.h>

enum { ROWS_AT_ONCE = 4, PANELS_AT_ONCE = 1 };
enum { LEVEL_ZERO = 0, WEIGHT_ZERO = -128 };
typedef int8_t level;

ALWAYS_INLINE void tile(const level *x, size_t stride, int rows, const int8_t *weights,
                        size_t panel_bytes, int groups, int panels, const int32_t *offset,
                        int32_t *out, size_t out_stride)
{
    (void)panel_bytes, (void)panels;
    int32x4_t sums[ROWS_AT_ONCE][4];
    for (int row = 0; row < rows; row++)
        for (int part = 0; part < 4; part++)
            sums[row][part] = vld1q_s32(offset + part * 4);
    for (int g = 0; g < groups; g++) {
        const int8_t *w = weights + (size_t)g * PANEL * GROUP;
        for (int row = 0; row < rows; row++) {
            int32_t quad;
            memcpy(&quad, x + row * stride + g * GROUP, sizeof quad);
            int8x16_t four = vreinterpretq_s8_s32(vdupq_n_s32(quad));
            for (int part = 0; part < 4; part++)
                sums[row][part] = vdotq_s32(sums[row][part], vld1q_s8(w + part * 16), four);
        }
    }
    for (int row = 0; row < rows; row++)
        for (int part = 0; part < 4; part++)
            vst1q_s32(out + row * out_stride + part * 4, sums[row][part]);
}
