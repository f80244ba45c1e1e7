#include "predictions.h"

#include <stdlib.h>

#include "arithmetic.h"

int predictions_init(predictions *p, const expansion *x, int rows)
{
    size_t classes = x->expander->classes;
    *p = (predictions){x, malloc((size_t)rows * classes * sizeof *p->classes)};
    return p->classes ? OK : NO_MEMORY;
}

void predictions_free(predictions *p) { free(p->classes); }

int in_class_init(in_class *c, const r3_expander *e)
{
    size_t padded = (size_t)parts_of(e->class_size, PANEL) * PANEL;
    *c = (in_class){malloc(padded * sizeof *c->nats), malloc(padded * sizeof *c->frequency)};
    return c->nats && c->frequency ? OK : NO_MEMORY;
}

void in_class_free(in_class *c)
{
    free(c->nats);
    free(c->frequency);
}

/* Frequencies from predictions in nats, which are overwritten. */
static void to_frequencies(const r3_expander *e, float *restrict nats, int size,
                           int32_t *restrict frequency)
{
    for (int i = 0; i < size; i++)
        nats[i] = rintf(nats[i] * PREDICTION_STEPS);
    float best = largest(nats, size);
    for (int i = 0; i < size; i++)
        frequency[i] = e->frequency[entry(best, nats[i], e->frequency_count)];
}

int predict_rows(void *of, int first, int end)
{
    const predictions *p = of;
    const expansion *x = p->expansion;
    const r3_expander *e = x->expander;
    size_t classes = e->classes;
    float *nats = malloc((end - first) * classes * sizeof *nats);
    if (!nats)
        return NO_MEMORY;
    multiply_all(e->classes_of, x->states + first * x->state_row, x->state_row, end - first, nats);
    for (int row = first; row < end; row++)
        to_frequencies(e, nats + (row - first) * classes, e->classes, p->classes + row * classes);
    free(nats);
    return OK;
}

const int32_t *of_tokens(const predictions *p, in_class *c, int row, int64_t class)
{
    const expansion *x = p->expansion;
    const r3_expander *e = x->expander;
    int panels = parts_of(e->class_size, PANEL);
    multiply_row(e->tokens_of, (int)class * panels, panels, x->states + row * x->state_row,
                 c->nats);
    to_frequencies(e, c->nats, e->class_size, c->frequency);
    return c->frequency;
}
