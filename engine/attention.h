/* Multi-head attention with integer weights, within groups of positions (a text, a segment). */
#ifndef R3_ATTENTION_H
#define R3_ATTENTION_H

#include "matrix.h"

/* A stack as it is stored; stack.h says what it computes. */
enum { MIX, OUT, WIDEN, NARROW, MATRICES };

struct stack {
    r3_sizes sizes;
    const matrix **matrices; /* [layers][MATRICES] */
    uint8_t *weights;        /* by how far a score lies below the best one */
    int weights_count;
};

/* Keys and values of the positions of one group so far, of one coupling, as products take them. */
typedef struct {
    int room, used;
    int8_t *keys;           /* [heads][room / 16][head_size / 4][16][4] */
    int32_t *key_offset;    /* [heads][room] */
    uint32_t *values;       /* [heads][head_size / 16][room / 4][16], four positions in each */
    int32_t *value_offset;  /* [heads][head_size / 16][16] */
} cache;

/* Make room for the keys and values of so many positions at most. */
int cache_init(cache *, const r3_sizes *, int most);
void cache_clear(cache *, const r3_sizes *);
void cache_free(cache *);

/* What a text position adds to its scores: entries of a table by whom it looks at.
 *
 * A group's first two keys are its slots; `held` says which token each of its other keys holds.
 */
typedef struct {
    const float *table;     /* of this coupling, [heads][entries]; NULL: nothing */
    int entries;
    const int32_t *slots;   /* [rows], where the entries of the two slots begin */
    const int32_t *text;    /* [rows], the entry of a key that holds token 0 */
    const int32_t *const *held; /* [groups] -> [keys] */
} bias;

/* What attention reads of the positions of a pass, for each of them. */
typedef struct {
    int rows, groups;
    const int32_t *begin;   /* [groups + 1], the first row of each group */
    const int32_t *sees;    /* [rows], how many keys of its group it sees, in order of arrival */
} positions;

/* Add the keys and values of all positions of a pass to the caches of their groups.
 *
 * mixed   levels [rows][3][heads][head_size], without what products add: queries, keys, values
 */
void remember(const stack *, const positions *, const int8_t *mixed, cache *caches);

/* Look from the positions `first .. end` at the keys that they see.
 *
 * seen    levels [rows][seen_row], the mean of what each position saw
 */
int look(const stack *, const positions *, const bias *, const int8_t *mixed, const cache *caches,
         int first, int end, level *seen, size_t seen_row);

#endif
