#include "product.h"

/* Sums of products of all rows with as many panels as a tile has. */
ALWAYS_INLINE void column(const level *x, size_t stride, int rows, const int8_t *weights,
                          size_t panel_bytes, int groups, int panels, const int32_t *offset,
                          int32_t *out, size_t out_stride)
{
    int row = 0;
#define STRIP(high)                                                                                \
    for (; high <= ROWS_AT_ONCE && rows - row >= high; row += high)                                \
        tile(x + row * stride, stride, high, weights, panel_bytes, groups, panels, offset,         \
             out + row * out_stride, out_stride)
    STRIP(8);
    STRIP(4);
    STRIP(2);
    STRIP(1);
#undef STRIP
}

void products(const level *x, size_t stride, int rows, const int8_t *weights, size_t panel_bytes,
              int groups, int panels, const int32_t *offset, int32_t *out, size_t out_stride)
{
    int p = 0;
    for (; panels - p >= PANELS_AT_ONCE; p += PANELS_AT_ONCE)
        column(x, stride, rows, weights + p * panel_bytes, panel_bytes, groups, PANELS_AT_ONCE,
               offset + p * PANEL, out + p * PANEL, out_stride);
    for (; p < panels; p++)
        column(x, stride, rows, weights + p * panel_bytes, panel_bytes, groups, 1,
               offset + p * PANEL, out + p * PANEL, out_stride);
}
