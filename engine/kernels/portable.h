/* No processor's own instructions: for those that no other kernel is made for, and to compare the
 * others with. Vectors are GNU C's, which compilers bring to what there is. */

enum { ROWS_AT_ONCE = 4, PANELS_AT_ONCE = 1 };
enum { LEVEL_ZERO = 0, WEIGHT_ZERO = -128 };
typedef int8_t level;

typedef int16_t shorts __attribute__((vector_size(16)));
typedef int32_t ints __attribute__((vector_size(16)));

/* Every other byte of a vector. */
typedef struct {
    shorts low, high;
} halves;

ALWAYS_INLINE halves split(shorts bytes) { return (halves){bytes << 8 >> 8, bytes >> 8}; }

/* Sums of four products each: two of them fit 16 bits, 128 * 127 twice. */
ALWAYS_INLINE ints dot(halves weights, halves four)
{
    ints pairs = (ints)(weights.low * four.low + weights.high * four.high);
    return (pairs << 16 >> 16) + (pairs >> 16);
}

/* Half of a panel: eight outputs. */
ALWAYS_INLINE void half(const level *x, size_t stride, int rows, const int8_t *weights, int groups,
                        const int32_t *offset, int32_t *out, size_t out_stride)
{
    ints sums[ROWS_AT_ONCE][2];
    for (int row = 0; row < rows; row++)
        memcpy(sums[row], offset, sizeof sums[row]);
    for (int g = 0; g < groups; g++) {
        shorts bytes[2];
        memcpy(bytes, weights + (size_t)g * PANEL * GROUP, sizeof bytes);
        halves first = split(bytes[0]), second = split(bytes[1]);
        for (int row = 0; row < rows; row++) {
            int32_t quad;
            memcpy(&quad, x + row * stride + g * GROUP, sizeof quad);
            halves four = split((shorts)(ints){quad, quad, quad, quad});
            sums[row][0] += dot(first, four);
            sums[row][1] += dot(second, four);
        }
    }
    for (int row = 0; row < rows; row++)
        memcpy(out + row * out_stride, sums[row], sizeof sums[row]);
}

#include "halves.h"
