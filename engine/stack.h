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
} streams;

int streams_init(streams *, const stack *, int rows);
void streams_free(streams *);

/* What follows is of one coupling, and of the rows `first .. end`, a piece at most (team.h). What
 * attention reads of rows stays in `mixed`; others look at it only in caches (`remember`). */

/* Read stream a for attention. */
void read_for_attention(const stack *, int layer, streams *, int first, int end);

/* b += sign * Attention(a). */
int add_attention(const stack *, int layer, float sign, streams *, const positions *, const bias *,
                  const cache *caches, int first, int end);

/* a += sign * FeedForward(b). */
int add_feedforward(const stack *, int layer, float sign, streams *, int first, int end);

#endif
