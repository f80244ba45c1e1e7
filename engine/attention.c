#include "attention.h"

#include <stdlib.h>

#include "arithmetic.h"

static int head_size(const r3_sizes *sizes) { return sizes->hidden / sizes->heads; }
static int head_groups(const r3_sizes *sizes) { return parts_of(head_size(sizes), GROUP); }
static int head_panels(const r3_sizes *sizes) { return parts_of(head_size(sizes), PANEL); }

/* Bytes of the keys of a head, and words of its values. */
static size_t key_bytes(const cache *c, const r3_sizes *sizes)
{
    return (size_t)c->room * head_groups(sizes) * GROUP;
}
static size_t value_words(const cache *c, const r3_sizes *sizes)
{
    return (size_t)c->room / GROUP * head_panels(sizes) * PANEL;
}

int cache_init(cache *c, const r3_sizes *sizes, int most)
{
    c->room = parts_of(most, PANEL) * PANEL;
    c->used = 0;
    size_t heads = sizes->heads;
    c->keys = calloc(heads, key_bytes(c, sizes));
    c->key_offset = calloc(heads * c->room, sizeof(int32_t));
    c->values = calloc(heads * value_words(c, sizes), sizeof *c->values);
    c->value_offset = calloc(heads * head_panels(sizes) * PANEL, sizeof(int32_t));
    return c->keys && c->key_offset && c->values && c->value_offset ? OK : NO_MEMORY;
}

void cache_clear(cache *c, const r3_sizes *sizes)
{
    /* What stands past the keys is multiplied by zero, but the offsets count all values. */
    c->used = 0;
    memset(c->values, 0, sizes->heads * value_words(c, sizes) * sizeof *c->values);
    memset(c->value_offset, 0, (size_t)sizes->heads * head_panels(sizes) * PANEL * sizeof(int32_t));
}

void cache_free(cache *c)
{
    free(c->keys);
    free(c->key_offset);
    free(c->values);
    free(c->value_offset);
}

/* Add the key of a position as one head sees it, as the key `j`. */
static void add_key(cache *c, const r3_sizes *sizes, int head, int j, const int8_t *restrict key)
{
    int size = head_size(sizes), groups = head_groups(sizes);
    int8_t *restrict to = c->keys + head * key_bytes(c, sizes)
                          + (size_t)(j / PANEL) * groups * PANEL * GROUP + j % PANEL * GROUP;
    int32_t sum = 0;
    for (int i = 0; i < size; i++)
        sum += key[i];
    c->key_offset[(size_t)head * c->room + j] = -LEVEL_ZERO * sum;
    int i = 0;
    for (; i + GROUP <= size; i += GROUP)
        memcpy(to + i * PANEL, key + i, GROUP);
    for (; i < size; i++)
        to[i / GROUP * PANEL * GROUP + i % GROUP] = key[i];
}

/* Add its value: a byte of the words that hold this one and the three values beside it. */
static void add_value(cache *c, const r3_sizes *sizes, int head, int j,
                      const int8_t *restrict value)
{
    int size = head_size(sizes), panels = head_panels(sizes);
    int32_t *restrict offset = c->value_offset + (size_t)head * panels * PANEL;
    uint32_t *restrict to = c->values + head * value_words(c, sizes) + (size_t)(j / GROUP) * PANEL;
    uint32_t one;
    memcpy(&one, (uint8_t[GROUP]){j % GROUP == 0, j % GROUP == 1, j % GROUP == 2, j % GROUP == 3},
           sizeof one);
    for (int i = 0; i < size; i += PANEL, to += (size_t)c->room / GROUP * PANEL) {
        int wide = size - i < PANEL ? size - i : PANEL;
        for (int o = 0; o < wide; o++)
            to[o] += (uint8_t)value[i + o] * one;
    }
    for (int i = 0; i < size; i++)
        offset[i] -= WEIGHT_ZERO * value[i];
}

/* Room for the queries, scores and weights of a tile of rows of one head. */
typedef struct {
    level *query;    /* [ROWS_AT_ONCE][head_groups * 4] */
    int32_t *counts; /* [ROWS_AT_ONCE][room], and then of values */
    float *scores;   /* [room] */
    int32_t *places; /* [room], where their weights are looked up */
    level *weights;  /* [ROWS_AT_ONCE][room] */
} scratch;

/* Scores of one row's keys: products, and what a table adds. */
static void score(const bias *b, int row, int group, int head, int keys,
                  const int32_t *restrict counts, float *restrict scores)
{
    if (!b->table) {
        for (int j = 0; j < keys; j++)
            scores[j] = (float)counts[j];
        return;
    }
    const float *restrict table = b->table + (size_t)head * b->entries;
    const float *restrict slots = table + b->slots[row], *restrict text = table + b->text[row];
    const int32_t *restrict held = b->held[group];
    for (int j = 0; j < 2; j++)
        scores[j] = (float)counts[j] + slots[j];
    for (int j = 2; j < keys; j++)
        scores[j] = (float)counts[j] + text[held[j]];
}

/* Weights of one row's keys; gives their sum. */
static int32_t weigh(const stack *s, int keys, int padded, const float *restrict scores,
                     int32_t *restrict places, level *restrict weights)
{
    const uint8_t *restrict table = s->weights;
    float best = largest(scores, keys);
    for (int j = 0; j < keys; j++)
        places[j] = entry(best, scores[j], s->weights_count);
    int32_t sum = 0;
    for (int j = 0; j < keys; j++) {
        int32_t weight = table[places[j]];
        weights[j] = (level)(weight + WEIGHT_ZERO);
        sum += weight;
    }
    for (int j = keys; j < padded; j++)
        weights[j] = (level)WEIGHT_ZERO;
    return sum;
}

/* Levels of a query, as products take them. */
static void ask(const int8_t *restrict mixed, int size, level *restrict query)
{
    for (int i = 0; i < size; i++)
        query[i] = (level)(mixed[i] + LEVEL_ZERO);
}

/* Levels of the mean of some values, given their weighted sum and that of the weights. */
static void average(const int32_t *restrict counts, int32_t sum, int size, level *restrict seen)
{
    for (int i = 0; i < size; i++)
        seen[i] = to_level((float)counts[i] / (float)sum);
}

/* Look from some rows of a group, as one head. */
static void look_as(const stack *s, const positions *p, const bias *b, const int8_t *mixed,
                    const cache *c, scratch *room, int group, int head, int first, int rows,
                    level *seen, size_t seen_row)
{
    const r3_sizes *sizes = &s->sizes;
    int size = head_size(sizes), groups = head_groups(sizes), panels = head_panels(sizes);
    int padded = parts_of(c->used, GROUP) * GROUP;
    for (int r = 0; r < rows; r++)
        ask(mixed + (size_t)(first + r) * 3 * sizes->hidden + head * size, size,
            room->query + r * groups * GROUP);
    products(room->query, (size_t)groups * GROUP, rows, c->keys + head * key_bytes(c, sizes),
             (size_t)groups * PANEL * GROUP, groups, parts_of(c->used, PANEL),
             c->key_offset + (size_t)head * c->room, room->counts, c->room);
    int32_t sums[ROWS_AT_ONCE];
    for (int r = 0; r < rows; r++) {
        int row = first + r, keys = p->sees[row];
        score(b, row, group, head, keys, room->counts + (size_t)r * c->room, room->scores);
        sums[r] = weigh(s, keys, padded, room->scores, room->places,
                        room->weights + (size_t)r * c->room);
    }
    size_t wide = (size_t)panels * PANEL;
    products(room->weights, c->room, rows,
             (const int8_t *)(c->values + head * value_words(c, sizes)), (size_t)c->room * PANEL,
             padded / GROUP, panels, c->value_offset + head * wide, room->counts, wide);
    for (int r = 0; r < rows; r++)
        average(room->counts + r * wide, sums[r], size,
                seen + (first + r) * seen_row + head * size);
}

/* Room for rows that see at most so many keys; to be freed, made or not. */
static int scratch_init(scratch *room, const r3_sizes *sizes, size_t most)
{
    size_t values = (size_t)head_panels(sizes) * PANEL, counts = values > most ? values : most;
    *room = (scratch){
        .query = calloc((size_t)ROWS_AT_ONCE * head_groups(sizes) * GROUP, sizeof(level)),
        .counts = malloc(ROWS_AT_ONCE * counts * sizeof(int32_t)),
        .scores = malloc(most * sizeof(float)),
        .places = malloc(most * sizeof(int32_t)),
        .weights = malloc(ROWS_AT_ONCE * most * sizeof(level)),
    };
    return room->query && room->counts && room->scores && room->places && room->weights
               ? OK : NO_MEMORY;
}

static void scratch_free(scratch *room)
{
    free(room->query);
    free(room->counts);
    free(room->scores);
    free(room->places);
    free(room->weights);
}

int look(const stack *s, const positions *p, const bias *b, const int8_t *mixed,
         const cache *caches, int first, int end, level *seen, size_t seen_row)
{
    const r3_sizes *sizes = &s->sizes;
    scratch room;
    int most = 0, last = 0, begin = 0;
    while (p->begin[begin + 1] <= first)
        begin++;
    for (last = begin; last < p->groups && p->begin[last] < end; last++)
        most = caches[last].room > most ? caches[last].room : most;
    int done = scratch_init(&room, sizes, most);
    for (int group = begin; group < last && done == OK; group++) {
        int from = p->begin[group] > first ? p->begin[group] : first;
        int to = p->begin[group + 1] < end ? p->begin[group + 1] : end;
        for (int head = 0; head < sizes->heads; head++)
            for (int row = from; row < to; row += ROWS_AT_ONCE)
                look_as(s, p, b, mixed, &caches[group], &room, group, head, row,
                        to - row < ROWS_AT_ONCE ? to - row : ROWS_AT_ONCE, seen, seen_row);
    }
    scratch_free(&room);
    return done;
}

void remember(const stack *s, const positions *p, const int8_t *mixed, cache *caches)
{
    size_t hidden = s->sizes.hidden;
    int size = head_size(&s->sizes);
    for (int group = 0; group < p->groups; group++)
        for (int row = p->begin[group]; row < p->begin[group + 1]; row++) {
            const int8_t *key = mixed + (row * 3 + 1) * hidden, *value = key + hidden;
            int j = caches[group].used++;
            for (int head = 0; head < s->sizes.heads; head++, key += size, value += size) {
                add_key(&caches[group], &s->sizes, head, j, key);
                add_value(&caches[group], &s->sizes, head, j, value);
            }
        }
}
