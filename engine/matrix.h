/* A matrix of integer levels with a scale and a bias a row, as products take it (product.h). */
#ifndef R3_MATRIX_H
#define R3_MATRIX_H

#include "engine.h"
#include "product.h"

/* Widest sum that is taken as a whole; one of up to 1,024 products is exact in float32, and so is
 * the rounding of two of these at once. What is wider goes on in parts of 1,024. */
enum { FIRST_PART = 2048, NEXT_PART = 1024 };

struct matrix {
    int outputs, inputs, parts;
    int panels, groups; /* of 16 outputs and of 4 inputs; what is over is zero */
    int8_t *levels;     /* the caller's; part after part, in each [panels][groups][16][4] */
    int32_t *offset;    /* [parts][panels * 16] */
    float *scale, *bias; /* [panels * 16] */
};

/* Levels a row needs to be multiplied: whole groups. */
static inline size_t row_levels(const matrix *m) { return (size_t)m->groups * GROUP; }

/* Reals of some rows and outputs, which stay in the nearest cache until they are taken. */
enum { ROWS_A_BLOCK = 32, PANELS_A_BLOCK = 4, BLOCK_WIDTH = PANELS_A_BLOCK * PANEL };

typedef struct {
    int row, rows, output, outputs;
    const float *reals; /* [rows][BLOCK_WIDTH] */
} block;

/* Takes a block to where it belongs. */
typedef void taker(const block *, const void *to);

/* Multiply some rows with some of the panels, one float32 multiply and add from exact sums.
 *
 * x     rows of `row_levels` levels, `stride` apart; past the inputs anything may stand
 * take  called with every block of rows and of outputs, which count from the first panel
 */
void multiply(const matrix *, int first, int panels, const level *x, size_t stride, int rows,
              taker *take, const void *to);

/* All of the reals, float [rows][outputs]. */
void multiply_all(const matrix *, const level *x, size_t stride, int rows, float *out);

/* The reals of one row and some of the panels. */
void multiply_row(const matrix *, int first, int panels, const level *x, float *out);

#endif
