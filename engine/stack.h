/* The reversible stack: additive couplings over two streams, forward and inverse.
 *
 * One coupling maps the streams (a, b) to
 *
 *     b' = b + Attention(a)        a' = a + FeedForward(b')
 *
 * and back by the same two functions with minus signs, in the opposite order.
 */
#ifndef R3_STACK_H
#define R3_STACK_H

#include "attention.h"

/* The two streams of a pass, float [rows][hidden] each, in whole steps, and room to compute. */
typedef struct {
    float *a, *b;
    level *read;    /* [rows][row], a stream as its norm is read, or what attention saw */
    size_t row;     /* levels of a row of `read` */
    int8_t *mixed;  /* [rows][3 * hidden] */
    level *inner;   /* [ROWS_A_PASS][inner_row] */
    size_t inner_row;
} streams;

int streams_init(streams *, const stack *, int rows);
void streams_free(streams *);

/* b += sign * Attention(a), of one coupling. */
int add_attention(const stack *, int layer, float sign, streams *, const positions *, const bias *,
                  cache *caches);

/* a += sign * FeedForward(b), of one coupling. */
void add_feedforward(const stack *, int layer, float sign, streams *, int rows);

#endif
