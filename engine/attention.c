#include "attention.h"

#include <stdlib.h>

#include "arithmetic.h"

static int head_size(const r3_sizes *sizes) { return sizes->hidden / sizes->heads; }
static int head_groups(const r3_sizes *sizes) { return parts_of(head_size(sizes), GROUP); }
static int head_panels(const r3_sizes *sizes) { return parts_of(head_size(sizes), PANEL); }

/* Bytes of the keys and of the values of a head. */
static size_t key_bytes(const cache *c, const r3_sizes *sizes)
{
    return (size_t)c->room * head_groups(sizes) * GROUP;
}
static size_t value_bytes(const cache *c, const r3_sizes *sizes)
{
    return (size_t)c->room * head_panels(sizes) * PANEL;
}

int cache_init(cache *c, const r3_sizes *sizes, int positions)
{
    c->room = parts_of(positions, PANEL) * PANEL;
    c->used = 0;
    size_t heads = sizes->heads;
    c->keys = calloc(heads, key_bytes(c, sizes));
    c->key_offset = calloc(heads * c->room, sizeof(int32_t));
    c->values = calloc(heads, value_bytes(c, sizes));
    c->value_offset = calloc(heads * head_panels(sizes) * PANEL, sizeof(int32_t));
    return c->keys && c->key_offset && c->values && c->value_offset ? OK : NO_MEMORY;
}

void cache_clear(cache *c, const r3_sizes *sizes)
{
    /* What stands past the keys is multiplied by zero, but the offsets count all values. */
    c->used = 0;
    memset(c->values, 0, sizes->heads * value_bytes(c, sizes));
    memset(c->value_offset, 0, (size_t)sizes->heads * head_panels(sizes) * PANEL * sizeof(int32_t));
}

void cache_free(cache *c)
{
    free(c->keys);
    free(c->key_offset);
    free(c->values);
    free(c->value_offset);
}

/* Add the key and the value of a position, [heads][head_size] each. */
static void add(cache *c, const r3_sizes *sizes, const int8_t *key, const int8_t *value)
{
    int size = head_size(sizes), groups = head_groups(sizes), panels = head_panels(sizes);
    int j = c->used++;
    for (int head = 0; head < sizes->heads; head++, key += size, value += size) {
        int8_t *k = c->keys + head * key_bytes(c, sizes)
                    + (size_t)(j / PANEL) * groups * PANEL * GROUP + j % PANEL * GROUP;
        int8_t *v = c->values + head * value_bytes(c, sizes)
                    + (size_t)(j / GROUP) * PANEL * GROUP + j % GROUP;
        int32_t *offset = c->value_offset + (size_t)head * panels * PANEL;
        int32_t sum = 0;
        for (int i = 0; i < size; i++) {
            k[i / GROUP * PANEL * GROUP + i % GROUP] = key[i];
            v[(size_t)(i / PANEL) * c->room * PANEL + i % PANEL * GROUP] = value[i];
            sum += key[i];
            offset[i] -= WEIGHT_ZERO * value[i];
        }
        c->key_offset[(size_t)head * c->room + j] = -LEVEL_ZERO * sum;
    }
}

/* Room for the queries, scores and weights of a tile of rows of one head. */
typedef struct {
    level *query;    /* [ROWS_AT_ONCE][head_groups * 4] */
    int32_t *counts; /* [ROWS_AT_ONCE][room], and then of values */
    float *scores;   /* [room] */
    level *weights;  /* [ROWS_AT_ONCE][room] */
} scratch;

/* Weights of one row's keys; gives their sum. */
static int32_t weigh(const stack *s, const bias *b, int row, int group, int head, int keys,
                     const int32_t *counts, float *scores, level *weights, int padded)
{
    if (b->table) {
        const float *table = b->table + (size_t)head * b->entries;
        const float *slots = table + b->slots[row];
        const int32_t *held = b->held[group];
        for (int j = 0; j < 2 && j < keys; j++)
            scores[j] = (float)counts[j] + slots[j];
        for (int j = 2; j < keys; j++)
            scores[j] = (float)counts[j] + table[b->text[row] + held[j]];
    } else {
        for (int j = 0; j < keys; j++)
            scores[j] = (float)counts[j];
    }
    float best = largest(scores, keys);
    int32_t sum = 0;
    for (int j = 0; j < keys; j++) {
        int32_t weight = s->weights[entry(best, scores[j], s->weights_count)];
        weights[j] = (level)(weight + WEIGHT_ZERO);
        sum += weight;
    }
    for (int j = keys; j < padded; j++)
        weights[j] = (level)WEIGHT_ZERO;
    return sum;
}

/* Look from some rows of a group, as one head. */
static void look(const stack *s, const positions *p, const bias *b, const int8_t *mixed,
                 const cache *c, scratch *room, int group, int head, int first, int rows,
                 level *seen, size_t seen_row)
{
    const r3_sizes *sizes = &s->sizes;
    int size = head_size(sizes), groups = head_groups(sizes), panels = head_panels(sizes);
    int padded = parts_of(c->used, GROUP) * GROUP;
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < size; i++)
            room->query[r * groups * GROUP + i] =
                (level)(mixed[(size_t)(first + r) * 3 * sizes->hidden + head * size + i] + LEVEL_ZERO);
    products(room->query, (size_t)groups * GROUP, rows, c->keys + head * key_bytes(c, sizes),
             (size_t)groups * PANEL * GROUP, groups, parts_of(c->used, PANEL),
             c->key_offset + (size_t)head * c->room, room->counts, c->room);
    int32_t sums[ROWS_AT_ONCE];
    for (int r = 0; r < rows; r++)
        sums[r] = weigh(s, b, first + r, group, head, p->sees[first + r],
                        room->counts + (size_t)r * c->room, room->scores,
                        room->weights + (size_t)r * c->room, padded);
    size_t wide = (size_t)panels * PANEL;
    products(room->weights, c->room, rows, c->values + head * value_bytes(c, sizes),
             (size_t)c->room * PANEL, padded / GROUP, panels, c->value_offset + head * wide,
             room->counts, wide);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < size; i++)
            seen[(first + r) * seen_row + head * size + i] =
                to_level((float)room->counts[r * wide + i] / (float)sums[r]);
}

static int look_around(const stack *s, const positions *p, const bias *b, const int8_t *mixed,
                       cache *caches, level *seen, size_t seen_row, int most)
{
    const r3_sizes *sizes = &s->sizes;
    size_t wide = (size_t)head_panels(sizes) * PANEL, row = wide > (size_t)most ? wide : most;
    scratch room = {
        .query = calloc((size_t)ROWS_AT_ONCE * head_groups(sizes) * GROUP, sizeof(level)),
        .counts = malloc(ROWS_AT_ONCE * row * sizeof(int32_t)),
        .scores = malloc(most * sizeof(float)),
        .weights = malloc((size_t)ROWS_AT_ONCE * most * sizeof(level)),
    };
    int done = room.query && room.counts && room.scores && room.weights ? OK : NO_MEMORY;
    for (int group = 0; group < p->groups && done == OK; group++)
        for (int head = 0; head < sizes->heads; head++)
            for (int row = p->begin[group]; row < p->begin[group + 1]; row += ROWS_AT_ONCE) {
                int over = p->begin[group + 1] - row;
                look(s, p, b, mixed, &caches[group], &room, group, head, row,
                     over < ROWS_AT_ONCE ? over : ROWS_AT_ONCE, seen, seen_row);
            }
    free(room.query);
    free(room.counts);
    free(room.scores);
    free(room.weights);
    return done;
}

int attend(const stack *s, const positions *p, const bias *b, const int8_t *mixed, cache *caches,
           level *seen, size_t seen_row)
{
    size_t hidden = s->sizes.hidden;
    int most = 0;
    for (int group = 0; group < p->groups; group++) {
        for (int row = p->begin[group]; row < p->begin[group + 1]; row++) {
            const int8_t *of = mixed + row * 3 * hidden;
            add(&caches[group], &s->sizes, of + hidden, of + 2 * hidden);
        }
        most = caches[group].room > most ? caches[group].room : most;
    }
    return look_around(s, p, b, mixed, caches, seen, seen_row, most);
}
