/* The stack run forward: word pieces to what is read of them (encoder and superseder). */
#include <stdlib.h>

#include "arithmetic.h"
#include "environment.h"
#include "stack.h"
#include "team.h"

/* Positions that go through the stack together: enough that weights are read seldom. */
enum { ROWS_TOGETHER = 256 };

/* A pass over some texts, each of them a group of positions that see each other. */
typedef struct {
    const stack *stack;
    team *team;
    int layer; /* the coupling that a step ends before */
    positions positions;
    int32_t *begin, *sees;
    cache *caches;
    streams streams;
} pass;

static void pass_free(pass *p)
{
    for (int group = 0; p->caches && group < p->positions.groups; group++)
        cache_free(&p->caches[group]);
    free(p->caches);
    free(p->begin);
    free(p->sees);
    streams_free(&p->streams);
}

/* Texts with so many pieces each, read of `count` in steps of one or two numbers a text. */
static int pass_init(pass *p, const stack *s, int texts, const int64_t *count, int sides,
                     team *team)
{
    *p = (pass){.stack = s, .team = team, .positions = {.groups = texts}};
    p->begin = calloc(texts + 1, sizeof *p->begin);
    p->caches = calloc(texts, sizeof *p->caches);
    if (!p->begin || !p->caches)
        return NO_MEMORY;
    for (int t = 0; t < texts; t++) {
        p->begin[t + 1] = p->begin[t];
        for (int side = 0; side < sides; side++)
            p->begin[t + 1] += (int32_t)count[t * sides + side];
        if (cache_init(&p->caches[t], &s->sizes, p->begin[t + 1] - p->begin[t]) != OK)
            return NO_MEMORY;
    }
    int rows = p->begin[texts];
    p->sees = malloc(rows * sizeof *p->sees);
    if (!p->sees || streams_init(&p->streams, s, rows) != OK)
        return NO_MEMORY;
    for (int t = 0; t < texts; t++)
        for (int row = p->begin[t]; row < p->begin[t + 1]; row++)
            p->sees[row] = p->begin[t + 1] - p->begin[t];
    p->positions = (positions){.rows = rows, .groups = texts, .begin = p->begin, .sees = p->sees};
    return OK;
}

/* Put a piece at a row of both streams. */
static void place(pass *p, int row, r3_embedding of, int64_t piece, const float *position,
                  const float *side)
{
    size_t hidden = p->stack->sizes.hidden;
    float *a = p->streams.a + row * hidden, scale = of.scale[piece] * ACTIVATION_SCALE;
    const int8_t *levels = of.levels + piece * hidden;
    for (size_t i = 0; i < hidden; i++) {
        float text = (float)levels[i] * scale + position[i];
        a[i] = rintf((side ? text + side[i] : text) * STREAM_SCALE);
    }
    memcpy(p->streams.b + row * hidden, a, hidden * sizeof *a);
}

/* Of some rows the rest of one coupling, from what is remembered on, and the beginning of the next;
 * after the last one the normalized sum of the streams, in `streams.read`. */
static int run_rows(void *of, int first, int end)
{
    pass *p = of;
    const stack *s = p->stack;
    streams *t = &p->streams;
    const bias none = {.table = NULL};
    int layer = p->layer, hidden = s->sizes.hidden;
    if (layer
        && (add_attention(s, layer - 1, 1, t, &p->positions, &none, p->caches, first, end) != OK
            || add_feedforward(s, layer - 1, 1, t, first, end) != OK))
        return NO_MEMORY;
    if (layer < s->sizes.layers) {
        read_for_attention(s, layer, t, first, end);
        return OK;
    }
    for (int row = first; row < end; row++) {
        float *a = t->a + (size_t)row * hidden, *b = t->b + (size_t)row * hidden;
        for (int i = 0; i < hidden; i++)
            a[i] += b[i];
        normalize(a, hidden, t->read + row * t->row);
    }
    return OK;
}

/* Run forward. */
static int run(pass *p)
{
    const r3_sizes *sizes = &p->stack->sizes;
    int done = share(p->team, p->positions.rows, run_rows, p);
    while (done == OK && p->layer++ < sizes->layers) {
        for (int group = 0; group < p->positions.groups; group++)
            cache_clear(&p->caches[group], sizes);
        remember(p->stack, &p->positions, p->streams.mixed, p->caches);
        done = share(p->team, p->positions.rows, run_rows, p);
    }
    return done;
}

/* The normalized sum of some rows of what was read, as levels of the row `to`. */
static void pool(pass *p, int begin, int end, float *sum, level *to)
{
    size_t hidden = p->stack->sizes.hidden;
    for (size_t i = 0; i < hidden; i++)
        sum[i] = 0;
    for (int row = begin; row < end; row++)
        for (size_t i = 0; i < hidden; i++)
            sum[i] += (float)((int32_t)p->streams.read[row * p->streams.row + i] - LEVEL_ZERO);
    normalize(sum, (int)hidden, to);
}

/* How many texts from here on go through the stack together. */
static int together(int texts, const int64_t *count, int sides)
{
    int64_t rows = 0;
    for (int t = 0; t < texts; t++) {
        for (int side = 0; side < sides; side++)
            rows += count[t * sides + side];
        if (rows > ROWS_TOGETHER && t)
            return t;
    }
    return texts;
}

static int encode_some(const stack *s, team *team, r3_embedding embedding, const float *position,
                       const matrix *to_gist, int texts, const int64_t *pieces,
                       const int64_t *count, float *gists)
{
    pass p;
    size_t hidden = s->sizes.hidden;
    level *means = calloc(texts * row_levels(to_gist), sizeof *means);
    int done = pass_init(&p, s, texts, count, 1, team);
    if (done == OK && means) {
        for (int t = 0; t < texts; t++)
            for (int row = p.begin[t]; row < p.begin[t + 1]; row++)
                place(&p, row, embedding, pieces[row], position + (row - p.begin[t]) * hidden, NULL);
        done = run(&p);
    } else {
        done = NO_MEMORY;
    }
    if (done == OK) {
        for (int t = 0; t < texts; t++)
            pool(&p, p.begin[t], p.begin[t + 1], p.streams.b, means + t * row_levels(to_gist));
        multiply_all(to_gist, means, row_levels(to_gist), texts, gists);
    }
    pass_free(&p);
    free(means);
    return done;
}

int32_t r3_encode(const stack *s, team *team, r3_embedding embedding, const float *position,
                  const matrix *to_gist, int32_t texts, const int64_t *pieces,
                  const int64_t *count, float *gists)
{
    fenv_t host = enter();
    int done = OK;
    for (int t = 0, some; t < texts && done == OK; t += some) {
        some = together(texts - t, count + t, 1);
        done = encode_some(s, team, embedding, position, to_gist, some, pieces, count + t,
                           gists + (size_t)t * to_gist->outputs);
        for (int i = 0; i < some; i++)
            pieces += count[t + i];
    }
    leave(host);
    return done;
}

static int compare_some(const stack *s, team *team, r3_embedding embedding, const float *position,
                        const float *side, const matrix *read, int pairs, const int64_t *pieces,
                        const int64_t *count, float *found)
{
    pass p;
    size_t hidden = s->sizes.hidden, row = row_levels(read), compared = read->outputs / 2;
    level *means = calloc(2 * pairs * row, sizeof *means);
    float *reals = malloc(2 * pairs * 2 * compared * sizeof *reals);
    int done = pass_init(&p, s, pairs, count, 2, team);
    if (done == OK && means && reals) {
        for (int t = 0; t < pairs; t++)
            for (int at = p.begin[t]; at < p.begin[t + 1]; at++) {
                int64_t within = at - p.begin[t];
                int newer = within >= count[2 * t];
                within -= newer ? count[2 * t] : 0;
                place(&p, at, embedding, pieces[at], position + within * hidden,
                      side + newer * hidden);
            }
        done = run(&p);
    } else {
        done = NO_MEMORY;
    }
    if (done == OK) {
        for (int t = 0; t < pairs; t++) {
            int between = p.begin[t] + (int)count[2 * t];
            pool(&p, p.begin[t], between, p.streams.b, means + 2 * t * row);
            pool(&p, between, p.begin[t + 1], p.streams.b, means + (2 * t + 1) * row);
        }
        multiply_all(read, means, row, 2 * pairs, reals);
        for (int half = 0; half < 2 * pairs; half++)
            memcpy(found + half * compared, reals + (half * 2 + half % 2) * compared,
                   compared * sizeof *found);
    }
    pass_free(&p);
    free(means);
    free(reals);
    return done;
}

int32_t r3_compare(const stack *s, team *team, r3_embedding embedding, const float *position,
                   const float *side, const matrix *read, int32_t pairs, const int64_t *pieces,
                   const int64_t *count, float *found)
{
    fenv_t host = enter();
    int done = OK;
    for (int t = 0, some; t < pairs && done == OK; t += some) {
        some = together(pairs - t, count + 2 * t, 2);
        done = compare_some(s, team, embedding, position, side, read, some, pieces, count + 2 * t,
                            found + (size_t)t * read->outputs);
        for (int i = 0; i < 2 * some; i++)
            pieces += count[2 * t + i];
    }
    leave(host);
    return done;
}
