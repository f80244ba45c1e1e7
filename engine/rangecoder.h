#ifndef R3_RANGECODER_H
#define R3_RANGECODER_H

#include "engine.h"

/* A number below `total` that lies in the interval of the next symbol, and what one is worth. */
static inline uint64_t target(const r3_reader *reader, uint64_t total, uint64_t *step)
{
    *step = reader->range / total;
    uint64_t found = reader->value / *step;
    return found < total ? found : total - 1;
}

/* Go past the symbol with this interval. */
void consume(r3_reader *reader, uint64_t step, uint64_t start, uint64_t size);

#endif
