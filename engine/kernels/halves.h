/* A tile of one panel as two halves, eight outputs each, that a kernel has. */

ALWAYS_INLINE void tile(const level *x, size_t stride, int rows, const int8_t *weights,
                        size_t panel_bytes, int groups, int panels, const int32_t *offset,
                        int32_t *out, size_t out_stride)
{
    (void)panel_bytes, (void)panels;
    half(x, stride, rows, weights, groups, offset, out, out_stride);
    half(x, stride, rows, weights + 32, groups, offset + 8, out + 8, out_stride);
}
