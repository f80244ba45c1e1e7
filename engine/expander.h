/* An expansion under way: positions of segments, round by round or all rounds at once. */
#ifndef R3_EXPANDER_H
#define R3_EXPANDER_H

#include "stack.h"
#include "team.h"

/* Positions before the text of a segment: its length, then its gist. */
enum { SLOTS = 2 };

/* The entry of a table of the schedule. */
static inline int64_t of_schedule(const int64_t *table, const r3_expander *e, int64_t count,
                                  int64_t place)
{
    return table[count * e->segment_tokens + place];
}

typedef struct {
    const r3_expander *expander;
    team *team;
    int layer;         /* the coupling that a step comes to, from above */
    int segments;
    const int64_t *count;
    const uint8_t *continued;
    cache *caches;     /* [layers - 1][segments] */
    int32_t **held;    /* [segments][arrived], which token each key holds */
    int32_t *arrived;  /* [segments], keys so far */
    level *gists;      /* [segments], their bits as levels */
    float *codes;      /* [segments][hidden], what stands in their second slots */
    streams streams;
    level *states;     /* [rows][state_row], what predictions are made from */
    size_t state_row;
    positions positions; /* of the last run */
    int32_t *begin;    /* [segments + 1], rows of the last run */
    int32_t *place;    /* [rows], the position that a row is of; -1 for a slot */
    int32_t *sees, *slots, *text; /* [rows], see attention.h */
} expansion;

/* Segments `first .. first + segments`, of which at most `rows` positions are run at once. */
int expansion_init(expansion *, const r3_expander *, team *, const r3_segments *, int first,
                   int segments, int rows);
void expansion_free(expansion *);

/* Run the rounds `first .. last`; `tokens` are those of all segments as far as they are known. */
int expansion_run(expansion *, int first, int last, const int64_t *tokens);

#endif
