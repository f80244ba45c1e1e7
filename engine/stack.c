#include "stack.h"

#include <stdlib.h>

#include "arithmetic.h"

/* Rows whose reals stay in the second cache between two products. */
enum { ROWS_A_PASS = 32 };

stack *r3_stack_new(const r3_sizes *sizes, const matrix *const *matrices, const uint8_t *weights,
                    int32_t weights_count)
{
    size_t many = (size_t)sizes->layers * MATRICES;
    stack *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (stack){.sizes = *sizes,
                 .matrices = malloc(many * sizeof *s->matrices),
                 .weights = malloc(weights_count),
                 .weights_count = weights_count};
    if (!s->matrices || !s->weights) {
        r3_stack_free(s);
        return NULL;
    }
    memcpy(s->matrices, matrices, many * sizeof *matrices);
    memcpy(s->weights, weights, weights_count);
    return s;
}

void r3_stack_free(stack *s)
{
    if (!s)
        return;
    free(s->matrices);
    free(s->weights);
    free(s);
}

int streams_init(streams *t, const stack *s, int rows)
{
    size_t hidden = s->sizes.hidden, inner = s->sizes.feedforward, mixed = 3 * hidden;
    t->row = (size_t)parts_of(s->sizes.hidden, GROUP) * GROUP;
    t->inner_row = (size_t)parts_of(s->sizes.feedforward, GROUP) * GROUP;
    t->a = malloc(rows * hidden * sizeof(float));
    t->b = malloc(rows * hidden * sizeof(float));
    t->read = calloc(rows * t->row, sizeof(level));
    t->mixed = malloc(rows * mixed);
    t->reals = malloc(ROWS_A_PASS * (inner > mixed ? inner : mixed) * sizeof(float));
    t->inner = calloc(ROWS_A_PASS * t->inner_row, sizeof(level));
    return t->a && t->b && t->read && t->mixed && t->reals && t->inner ? OK : NO_MEMORY;
}

void streams_free(streams *t)
{
    free(t->a);
    free(t->b);
    free(t->read);
    free(t->mixed);
    free(t->reals);
    free(t->inner);
}

static const matrix *matrix_of(const stack *s, int layer, int which)
{
    return s->matrices[layer * MATRICES + which];
}

static void add_rounded(float *stream, const float *reals, size_t count, float sign)
{
    for (size_t i = 0; i < count; i++)
        stream[i] += sign * rintf(reals[i]);
}

int add_attention(const stack *s, int layer, float sign, streams *t, const positions *p,
                  const bias *b, cache *caches)
{
    size_t hidden = s->sizes.hidden, mixed = 3 * hidden;
    for (int row = 0; row < p->rows; row += ROWS_A_PASS) {
        int rows = p->rows - row < ROWS_A_PASS ? p->rows - row : ROWS_A_PASS;
        for (int r = row; r < row + rows; r++)
            normalize(t->a + r * hidden, s->sizes.hidden, t->read + r * t->row);
        multiply(matrix_of(s, layer, MIX), t->read + row * t->row, t->row, rows, t->reals);
        for (size_t i = 0; i < rows * mixed; i++)
            t->mixed[row * mixed + i] = (int8_t)nearest(t->reals[i]);
    }
    if (attend(s, p, b, t->mixed, caches, t->read, t->row) != OK)
        return NO_MEMORY;
    for (int row = 0; row < p->rows; row += ROWS_A_PASS) {
        int rows = p->rows - row < ROWS_A_PASS ? p->rows - row : ROWS_A_PASS;
        multiply(matrix_of(s, layer, OUT), t->read + row * t->row, t->row, rows, t->reals);
        add_rounded(t->b + row * hidden, t->reals, rows * hidden, sign);
    }
    return OK;
}

/* Levels of the hard swish `h * clamp(h + 3, 0, 6) / 6` of some reals. */
static void swish(const float *reals, size_t count, level *out)
{
    const float scale = (float)(16.0 / 6.0);
    for (size_t i = 0; i < count; i++) {
        float gate = reals[i] + 3.0f;
        gate = gate < 0.0f ? 0.0f : gate > 6.0f ? 6.0f : gate;
        out[i] = to_level(gate * reals[i] * scale);
    }
}

void add_feedforward(const stack *s, int layer, float sign, streams *t, int rows)
{
    size_t hidden = s->sizes.hidden, inner = s->sizes.feedforward;
    for (int row = 0; row < rows; row += ROWS_A_PASS) {
        int some = rows - row < ROWS_A_PASS ? rows - row : ROWS_A_PASS;
        for (int r = 0; r < some; r++)
            normalize(t->b + (row + r) * hidden, s->sizes.hidden, t->read + r * t->row);
        multiply(matrix_of(s, layer, WIDEN), t->read, t->row, some, t->reals);
        for (int r = 0; r < some; r++)
            swish(t->reals + r * inner, inner, t->inner + r * t->inner_row);
        multiply(matrix_of(s, layer, NARROW), t->inner, t->inner_row, some, t->reals);
        add_rounded(t->a + row * hidden, t->reals, some * hidden, sign);
    }
}
