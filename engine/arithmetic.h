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

/* The nearest whole level. */
static inline int32_t nearest(float x)
{
    x = x < -LEVELS ? -LEVELS : x > LEVELS ? LEVELS : x;
    return (int32_t)rintf(x);
}

/* The nearest whole level, as products take it. */
static inline level to_level(float x) { return (level)(nearest(x) + LEVEL_ZERO); }

/* Root-mean-square norm of a row of a stream, as levels. */
static inline void normalize(const float *x, int size, level *out)
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
        best[lane] = x[0];
    int i = 0;
    for (; i + LANES <= size; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            best[lane] = x[i + lane] > best[lane] ? x[i + lane] : best[lane];
    for (; i < size; i++)
        best[0] = x[i] > best[0] ? x[i] : best[0];
    for (int lane = 1; lane < LANES; lane++)
        best[0] = best[lane] > best[0] ? best[lane] : best[0];
    return best[0];
}

/* Where to look in a table of `count` entries: the distance below the best, the last entry beyond. */
static inline int32_t entry(float best, float x, int32_t count)
{
    float distance = best - x, last = (float)(count - 1);
    return (int32_t)(distance < last ? distance : last);
}

#endif
