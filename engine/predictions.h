/* The frequencies that an expansion predicts for tokens: for their class, then in it. */
#ifndef R3_PREDICTIONS_H
#define R3_PREDICTIONS_H

#include "expander.h"

/* The frequencies of the classes at the rows of a run. */
typedef struct {
    const expansion *expansion;
    int32_t *classes; /* [rows][classes] */
} predictions;

/* Room for so many rows. */
int predictions_init(predictions *, const expansion *, int rows);
void predictions_free(predictions *);

/* Predict the classes at some rows of the last run; `of` are predictions. */
int predict_rows(void *of, int first, int end);

/* The frequencies of the tokens of one class, and room to compute them. */
typedef struct {
    float *nats; /* padded to whole panels */
    int32_t *frequency;
} in_class;

int in_class_init(in_class *, const r3_expander *);
void in_class_free(in_class *);

static inline const int32_t *of_classes(const predictions *p, int row)
{
    return p->classes + (size_t)row * p->expansion->expander->classes;
}

const int32_t *of_tokens(const predictions *, in_class *, int row, int64_t class);

/* The sum of the first frequencies. */
static inline int64_t sum(const int32_t *frequency, int64_t size)
{
    int64_t total = 0;
    for (int64_t i = 0; i < size; i++)
        total += frequency[i];
    return total;
}

#endif
