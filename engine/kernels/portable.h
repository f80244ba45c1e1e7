/* Plain C: for processors that no other kernel is made for, and to compare the others with. */

enum { ROWS_AT_ONCE = 4, PANELS_AT_ONCE = 1 };
enum { LEVEL_ZERO = 0, WEIGHT_ZERO = 0 };
typedef int16_t level;

ALWAYS_INLINE void tile(const level *x, size_t stride, int rows, const int8_t *weights,
                        size_t panel_bytes, int groups, int panels, const int32_t *offset,
                        int32_t *out, size_t out_stride)
{
    (void)panel_bytes, (void)panels;
    for (int row = 0; row < rows; row++) {
        int32_t sums[PANEL];
        for (int o = 0; o < PANEL; o++)
            sums[o] = offset[o];
        for (int g = 0; g < groups; g++) {
            const level *quad = x + row * stride + g * GROUP;
            const int8_t *w = weights + (size_t)g * PANEL * GROUP;
            for (int o = 0; o < PANEL; o++)
                for (int k = 0; k < GROUP; k++)
                    sums[o] += w[o * GROUP + k] * quad[k];
        }
        memcpy(out + row * out_stride, sums, sizeof sums);
    }
}
