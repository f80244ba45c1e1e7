/* The stack run backward: from what is known of segments to the frequencies of their tokens.
 *
 * Stream b holds what is known: in the two slots the length and the gist, at a text position the
 * token beside it, or an edge or centre where growth begins. Positions arrive in the order of the
 * rounds that fill them in, after the slots, so whoever sees a round sees a prefix of them.
 */
#include "expander.h"

#include <stdlib.h>

#include "arithmetic.h"

enum { ROLES = 3, CENTRE = 1 };

static int layers_before_last(const r3_expander *e) { return e->stack->sizes.layers - 1; }

void expansion_free(expansion *x)
{
    int all = x->segments * layers_before_last(x->expander);
    for (int i = 0; x->caches && i < all; i++)
        cache_free(&x->caches[i]);
    for (int segment = 0; x->held && segment < x->segments; segment++)
        free(x->held[segment]);
    streams_free(&x->streams);
    free(x->caches);
    free(x->held);
    free(x->arrived);
    free(x->begin);
    free(x->sees);
    free(x->slots);
    free(x->text);
    free(x->place);
    free(x->states);
    free(x->gists);
    free(x->codes);
}

int expansion_init(expansion *x, const r3_expander *e, team *team, const r3_segments *of, int first,
                   int segments, int rows)
{
    const r3_sizes *sizes = &e->stack->sizes;
    int layers = layers_before_last(e);
    *x = (expansion){.expander = e, .team = team, .segments = segments, .count = of->count + first,
                     .continued = of->continued + first};
    x->caches = calloc((size_t)layers * segments, sizeof *x->caches);
    x->held = calloc(segments, sizeof *x->held);
    x->arrived = calloc(segments, sizeof *x->arrived);
    x->begin = malloc((segments + 1) * sizeof *x->begin);
    x->sees = malloc(rows * sizeof *x->sees);
    x->slots = malloc(rows * sizeof *x->slots);
    x->text = malloc(rows * sizeof *x->text);
    x->place = malloc(rows * sizeof *x->place);
    x->states = calloc(rows, (x->state_row = row_levels(e->classes_of)) * sizeof(level));
    x->gists = malloc((size_t)segments * row_levels(e->from_gist) * sizeof(level));
    x->codes = malloc((size_t)segments * sizes->hidden * sizeof(float));
    if (!x->caches || !x->held || !x->arrived || !x->begin || !x->sees || !x->slots || !x->text
        || !x->place || !x->states || !x->gists || !x->codes
        || streams_init(&x->streams, e->stack, rows) != OK)
        return NO_MEMORY;
    for (int segment = 0; segment < segments; segment++) {
        int all = SLOTS + (int)x->count[segment];
        if (!(x->held[segment] = calloc(all, sizeof **x->held)))
            return NO_MEMORY;
        for (int layer = 0; layer < layers; layer++)
            if (cache_init(&x->caches[layer * segments + segment], sizes, all) != OK)
                return NO_MEMORY;
    }
    size_t bytes = e->gist_bits / 8, row = row_levels(e->from_gist);
    for (int segment = 0; segment < segments; segment++)
        for (int bit = 0; bit < e->gist_bits; bit++) {
            int one = of->gists[(first + segment) * bytes + bit / 8] >> (7 - bit % 8) & 1;
            x->gists[segment * row + bit] = (level)((one ? 16 : -16) + LEVEL_ZERO);
        }
    multiply_all(e->from_gist, x->gists, row, segments, x->codes);
    return OK;
}

/* Put the two slots of a segment at a row. */
static void place_slots(expansion *x, int segment, int row)
{
    const r3_expander *e = x->expander;
    size_t hidden = e->stack->sizes.hidden;
    int span = e->segment_tokens, between = ROLES * (2 * span + 1 + SLOTS);
    int64_t length = x->count[segment] - 1 + x->continued[segment] * span;
    float *b = x->streams.b + row * hidden;
    for (size_t i = 0; i < hidden; i++) {
        b[i] = rintf(e->length[length * hidden + i] * STREAM_SCALE);
        b[hidden + i] = rintf(x->codes[segment * hidden + i]);
    }
    for (int slot = 0; slot < SLOTS; slot++) {
        x->sees[row + slot] = SLOTS;
        x->slots[row + slot] = between + slot * SLOTS;
        x->text[row + slot] = 0;
        x->place[row + slot] = -1;
    }
}

/* Put a text position at a row; `tokens` are those of its segment. */
static void place_text(expansion *x, int segment, int64_t place, int row, const int64_t *tokens)
{
    const r3_expander *e = x->expander;
    size_t hidden = e->stack->sizes.hidden;
    int span = e->segment_tokens, distances = 2 * span + 1;
    int64_t count = x->count[segment];
    int64_t round = of_schedule(e->round_of, e, count, place);
    int64_t role = of_schedule(e->role_of, e, count, place), held = place + CENTRE - role;
    const float *start = e->after_start + place * hidden;
    const float *end = e->before_end + (count - 1 - place) * hidden;
    float *b = x->streams.b + row * hidden;
    for (size_t i = 0; i < hidden; i++) {
        float frame = e->role[role * hidden + i] + start[i] + end[i];
        b[i] = rintf((round ? frame : frame + e->edge[role * hidden + i]) * STREAM_SCALE);
    }
    if (round) {
        const int8_t *levels = e->embedding.levels + tokens[held] * hidden;
        float scale = e->embedding.scale[tokens[held]] * ACTIVATION_SCALE;
        for (size_t i = 0; i < hidden; i++)
            b[i] += rintf((float)levels[i] * scale * EMBEDDING_GAIN);
    }
    x->slots[row] = (int32_t)(ROLES * distances + role * SLOTS);
    x->text[row] = (int32_t)(role * distances + span - place);
    x->place[row] = (int32_t)place;
    x->held[segment][x->arrived[segment]++] = (int32_t)held;
}

/* Place the positions that a range of rounds fills in, in the order of rounds. */
static int place_rounds(expansion *x, int segment, int first, int last, int row,
                        const int64_t *tokens)
{
    const r3_expander *e = x->expander;
    int64_t count = x->count[segment];
    if (!first) {
        place_slots(x, segment, row);
        row += SLOTS;
        x->arrived[segment] = SLOTS;
    }
    for (int round = first; round < last; round++) {
        int begin = row;
        for (int64_t place = 0; place < count; place++)
            if (of_schedule(e->round_of, e, count, place) == round)
                place_text(x, segment, place, row++, tokens);
        for (int r = begin; r < row; r++)
            x->sees[r] = x->arrived[segment];
    }
    return row;
}

/* Of some rows the rest of one coupling, from what is remembered on, and the beginning of the next
 * lower one; after the last one what predictions are made from. */
static int run_rows(void *of, int first, int end)
{
    expansion *x = of;
    const r3_expander *e = x->expander;
    const r3_sizes *sizes = &e->stack->sizes;
    streams *t = &x->streams;
    int layer = x->layer, above = layer + 1;
    if (above < sizes->layers) {
        int entries = ROLES * (2 * e->segment_tokens + 1 + SLOTS) + SLOTS * SLOTS;
        bias b = {.table = e->bias + (size_t)layer * sizes->heads * entries, .entries = entries,
                  .slots = x->slots, .text = x->text, .held = (const int32_t *const *)x->held};
        if (add_attention(e->stack, above, -1, t, &x->positions, &b,
                          x->caches + (size_t)layer * x->segments, first, end) != OK)
            return NO_MEMORY;
    }
    if (add_feedforward(e->stack, layer, -1, t, first, end) != OK)
        return NO_MEMORY;
    if (layer)
        read_for_attention(e->stack, layer, t, first, end);
    else
        for (int row = first; row < end; row++)
            normalize(t->a + (size_t)row * sizes->hidden, sizes->hidden,
                      x->states + row * x->state_row);
    return OK;
}

int expansion_run(expansion *x, int first, int last, const int64_t *tokens)
{
    const r3_expander *e = x->expander;
    streams *t = &x->streams;
    size_t hidden = e->stack->sizes.hidden;
    int row = 0;
    for (int segment = 0; segment < x->segments; tokens += x->count[segment++]) {
        x->begin[segment] = row;
        row = place_rounds(x, segment, first, last, row, tokens);
    }
    x->begin[x->segments] = row;
    for (int r = 0; r < row; r++)
        for (size_t i = 0; i < hidden; i++)
            t->a[r * hidden + i] = rintf(e->blank[i] * STREAM_SCALE);
    x->positions = (positions){.rows = row, .groups = x->segments, .begin = x->begin,
                               .sees = x->sees};
    x->layer = e->stack->sizes.layers - 1;
    int done = share(x->team, row, run_rows, x);
    while (done == OK && x->layer-- > 0) {
        remember(e->stack, &x->positions, t->mixed, x->caches + (size_t)x->layer * x->segments);
        done = share(x->team, row, run_rows, x);
    }
    return done;
}
