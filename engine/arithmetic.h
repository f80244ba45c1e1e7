/* Correctly rounded operations between products, one at a time (docs/model.md, "Exactness").
 *
 * Loops keep several sums or maxima side by side, since a compiler may not reorder those of
 * floats; the sums are exact, so their order cannot show.
 */
#ifndef R3_ARITHMETIC_H
#define R3_ARITHMETIC_H

#include <math.h>

#include "product.h"

#define LEVELS 127.0f
#define ACTIVATION_SCALE 16.0f
#define STREAM_SCALE 128.0f
#define EMBEDDING_GAIN (50.0f * STREAM_SCALE)
#define PREDICTION_STEPS 32.0f

enum { LANES = 16 };

/* The nearest whole level, halves to even.
 *
 * Next to 1.5 * 2^23 floats are whole, so a sum with that is rounded, and its bits as an integer
 * count from there: without a call, a branch or a conversion that could overflow.
 */
ALWAYS_INLINE int32_t nearest(float x)
{
    const float whole = 12582912.0f;
    const int32_t zero = 0x4B400000, levels = (int32_t)LEVELS; /* the bits of `whole` */
    int32_t bits;
    x += whole;
    memcpy(&bits, &x, sizeof bits);
    bits = bits < zero - levels ? zero - levels : bits;
    bits = bits > zero + levels ? zero + levels : bits;
    return bits - zero;
}

/* The nearest whole level, as products take it. */
ALWAYS_INLINE level to_level(float x) { return (level)(nearest(x) + LEVEL_ZERO); }

/* Root-mean-square norm of a row of a stream, as levels. */
static inline void normalize(const float *restrict x, int size, level *restrict out)
{
    const double least = 1.0 / 256, factor = least / size;
    double sums[LANES] = {0};
    int i = 0;
    for (; i + LANES <= size; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            sums[lane] += (double)(x[i + lane] * x[i + lane]);
    for (; i < size; i++)
        sums[0] += (double)(x[i] * x[i]);
    double total = 0;
    for (int lane = 0; lane < LANES; lane++)
        total += sums[lane];
    float norm = (float)sqrt(total * factor + least);
    for (i = 0; i < size; i++)
        out[i] = to_level(x[i] / norm);
}

/* The largest of some numbers. */
static inline float largest(const float *x, int size)
{
    float best[LANES];
    for (int lane = 0; lane < LANES; lane++)
        best[lane] = x[lane < size ? lane : 0];
    for (int i = LANES; i < size; i += LANES) {
        const float *next = x + (i + LANES <= size ? i : size - LANES);
        for (int lane = 0; lane < LANES; lane++)
            best[lane] = next[lane] > best[lane] ? next[lane] : best[lane];
    }
    float most = best[0];
    for (int lane = 1; lane < LANES; lane++)
        most = best[lane] > most ? best[lane] : most;
    return most;
}

/* Where to look in a table of `count` entries: the distance below the best, the last entry beyond. */
static inline int32_t entry(float best, float x, int32_t count)
{
    float distance = best - x, last = (float)(count - 1);
    return (int32_t)(distance < last ? distance : last);
}

#endif
