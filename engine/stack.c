#include "stack.h"

#include <stdlib.h>

#include "arithmetic.h"

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
    size_t hidden = s->sizes.hidden, mixed = 3 * hidden;
    t->row = (size_t)parts_of(s->sizes.hidden, GROUP) * GROUP;
    t->a = malloc(rows * hidden * sizeof(float));
    t->b = malloc(rows * hidden * sizeof(float));
    t->read = calloc(rows * t->row, sizeof(level));
    t->mixed = malloc(rows * mixed);
    return t->a && t->b && t->read && t->mixed ? OK : NO_MEMORY;
}

void streams_free(streams *t)
{
    free(t->a);
    free(t->b);
    free(t->read);
    free(t->mixed);
}

/* Where a product goes: levels, in rows of so many. */
typedef struct {
    int8_t *levels;
    size_t row;
} mixed_levels;

/* Or into a stream, which it is added to or taken from. */
typedef struct {
    float *stream;
    size_t row;
    float sign;
} sums;

/* Or through the hard swish into the levels between the two matrices of a feed-forward. */
typedef struct {
    level *levels;
    size_t row;
} inner_levels;

static void take_mixed(const block *b, const void *to)
{
    const mixed_levels *mixed = to;
    const int outputs = b->outputs; /* bytes may alias anything, a block too */
    for (int r = 0; r < b->rows; r++) {
        const float *restrict reals = b->reals + r * BLOCK_WIDTH;
        int8_t *restrict levels = mixed->levels + (b->row + r) * mixed->row + b->output;
        for (int o = 0; o < outputs; o++)
            levels[o] = (int8_t)nearest(reals[o]);
    }
}

static void take_sums(const block *b, const void *to)
{
    const sums *of = to;
    for (int r = 0; r < b->rows; r++) {
        const float *restrict reals = b->reals + r * BLOCK_WIDTH;
        float *restrict stream = of->stream + (b->row + r) * of->row + b->output;
        for (int o = 0; o < b->outputs; o++)
            stream[o] += of->sign * rintf(reals[o]);
    }
}

/* Levels of the hard swish `h * clamp(h + 3, 0, 6) / 6`. */
static void take_swish(const block *b, const void *to)
{
    const float scale = (float)(16.0 / 6.0);
    const inner_levels *inner = to;
    const int outputs = b->outputs;
    for (int r = 0; r < b->rows; r++) {
        const float *restrict reals = b->reals + r * BLOCK_WIDTH;
        level *restrict levels = inner->levels + (b->row + r) * inner->row + b->output;
        for (int o = 0; o < outputs; o++) {
            float gate = reals[o] + 3.0f;
            gate = gate < 0.0f ? 0.0f : gate > 6.0f ? 6.0f : gate;
            levels[o] = to_level(gate * reals[o] * scale);
        }
    }
}

/* Multiply rows with a matrix of a coupling. */
static void through(const stack *s, int layer, int which, const level *x, size_t stride, int rows,
                    taker *take, const void *to)
{
    const matrix *m = s->matrices[layer * MATRICES + which];
    multiply(m, 0, m->panels, x, stride, rows, take, to);
}

void read_for_attention(const stack *s, int layer, streams *t, int first, int end)
{
    size_t hidden = s->sizes.hidden, mixed = 3 * hidden;
    for (int row = first; row < end; row++)
        normalize(t->a + row * hidden, s->sizes.hidden, t->read + row * t->row);
    through(s, layer, MIX, t->read + first * t->row, t->row, end - first, take_mixed,
            &(mixed_levels){t->mixed + first * mixed, mixed});
}

int add_attention(const stack *s, int layer, float sign, streams *t, const positions *p,
                  const bias *b, const cache *caches, int first, int end)
{
    size_t hidden = s->sizes.hidden;
    if (look(s, p, b, t->mixed, caches, first, end, t->read, t->row) != OK)
        return NO_MEMORY;
    through(s, layer, OUT, t->read + first * t->row, t->row, end - first, take_sums,
            &(sums){t->b + first * hidden, hidden, sign});
    return OK;
}

int add_feedforward(const stack *s, int layer, float sign, streams *t, int first, int end)
{
    size_t hidden = s->sizes.hidden;
    size_t inner_row = (size_t)parts_of(s->sizes.feedforward, GROUP) * GROUP;
    level *inner = calloc((end - first) * inner_row, sizeof *inner);
    if (!inner)
        return NO_MEMORY;
    for (int row = first; row < end; row++)
        normalize(t->b + row * hidden, s->sizes.hidden, t->read + row * t->row);
    through(s, layer, WIDEN, t->read + first * t->row, t->row, end - first, take_swish,
            &(inner_levels){inner, inner_row});
    through(s, layer, NARROW, inner, inner_row, end - first, take_sums,
            &(sums){t->a + first * hidden, hidden, sign});
    free(inner);
    return OK;
}
