/* Unknown tokens: read from streams under the frequencies predicted for them, round by round. */
#include "environment.h"
#include "predictions.h"
#include "rangecoder.h"

enum { BLOCK = 16 };

/* The next symbol of a stream. */
static int64_t read_symbol(r3_reader *reader, const int32_t *frequency, int size)
{
    uint64_t step, total = (uint64_t)sum(frequency, size);
    int64_t wanted = (int64_t)target(reader, total, &step), start = 0, symbol = 0;
    for (; symbol + BLOCK < size; symbol += BLOCK) {
        int64_t some = sum(frequency + symbol, BLOCK);
        if (start + some > wanted)
            break;
        start += some;
    }
    for (; start + frequency[symbol] <= wanted; symbol++)
        start += frequency[symbol];
    consume(reader, step, (uint64_t)start, (uint64_t)frequency[symbol]);
    return symbol;
}

/* Positions of a segment that a range of rounds fills in, the slots among them. */
static int rows_of(const r3_expander *e, int64_t count, int first, int last)
{
    int rows = first ? 0 : SLOTS;
    for (int64_t place = 0; place < count; place++) {
        int64_t round = of_schedule(e->round_of, e, count, place);
        rows += round >= first && round < last;
    }
    return rows;
}

static int rows_of_all(const r3_expander *e, const r3_segments *of, int first, int last)
{
    int rows = 0;
    for (int segment = 0; segment < of->segments; segment++)
        rows += rows_of(e, of->count[segment], first, last);
    return rows;
}

/* Read the tokens of a round: of all segments their classes, then the tokens in these. */
static void read_round(const predictions *p, in_class *c, const int64_t *stream,
                       r3_reader *readers, int64_t *tokens)
{
    const expansion *x = p->expansion;
    const r3_expander *e = x->expander;
    int64_t *of = tokens;
    for (int segment = 0; segment < x->segments; of += x->count[segment++])
        for (int row = x->begin[segment]; row < x->begin[segment + 1]; row++)
            if (x->place[row] >= 0)
                of[x->place[row]] =
                    read_symbol(&readers[stream[segment]], of_classes(p, row), e->classes);
    of = tokens;
    for (int segment = 0; segment < x->segments; of += x->count[segment++])
        for (int row = x->begin[segment]; row < x->begin[segment + 1]; row++)
            if (x->place[row] >= 0) {
                int64_t *token = of + x->place[row], class = *token;
                *token = class * e->class_size
                         + read_symbol(&readers[stream[segment]], of_tokens(p, c, row, class),
                                       e->class_size);
            }
}

int32_t r3_expand(const r3_expander *e, team *team, const r3_segments *of, const int64_t *stream,
                  r3_reader *readers, int64_t *tokens)
{
    fenv_t host = enter();
    expansion x;
    predictions p = {0};
    in_class c;
    int most = 0;
    for (int round = 0; round < e->rounds; round++) {
        int rows = rows_of_all(e, of, round, round + 1);
        most = rows > most ? rows : most;
    }
    int done = in_class_init(&c, e);
    if (expansion_init(&x, e, team, of, 0, of->segments, most) != OK)
        done = NO_MEMORY;
    if (done == OK)
        done = predictions_init(&p, &x, most);
    for (int round = 0; round < e->rounds && done == OK; round++) {
        done = expansion_run(&x, round, round + 1, tokens);
        if (done == OK)
            done = share(team, x.begin[x.segments], predict_rows, &p);
        if (done == OK)
            read_round(&p, &c, stream, readers, tokens);
    }
    predictions_free(&p);
    in_class_free(&c);
    expansion_free(&x);
    leave(host);
    return done;
}
