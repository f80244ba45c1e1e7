/* Exact products of integer levels, by the kernel that this library was compiled for.
 *
 * Weights lie in panels of 16 outputs, and in these in groups of 4 inputs: [panel][group][16][4].
 * So one load holds what one instruction multiplies with four levels of a row, on every processor.
 * Levels and attention weights are stored with what a kernel calls zero added; offsets, which sums
 * begin with, take it out again.
 */
#ifndef R3_PRODUCT_H
#define R3_PRODUCT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { PANEL = 16, GROUP = 4 };

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include "kernels/avx512vnni.h"
#elif defined(__AVXVNNI__)
#include "kernels/avxvnni.h"
#elif defined(__AVX2__)
#include "kernels/avx2.h"
#elif defined(__ARM_FEATURE_DOTPROD)
#include "kernels/neon.h"
#else
#include "kernels/portable.h"
#endif

ALWAYS_INLINE int parts_of(int size, int part) { return (size + part - 1) / part; }

/* Sums of products of some rows with some panels, int32, in rows of `out_stride`.
 *
 * x        rows of `groups * 4` levels each, `stride` apart
 * weights  panels, `panel_bytes` apart, of which the first `groups` groups are taken
 * offset   what the sums of each output begin with
 */
void products(const level *x, size_t stride, int rows, const int8_t *weights, size_t panel_bytes,
              int groups, int panels, const int32_t *offset, int32_t *out, size_t out_stride);

#endif
