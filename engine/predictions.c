/* Tokens under the frequencies that an expansion predicts for them: their class, then the token. */
#include <stdlib.h>

#include "arithmetic.h"
#include "environment.h"
#include "expander.h"
#include "rangecoder.h"

/* Positions that are measured together: enough that weights are read seldom. */
enum { ROWS_TOGETHER = 256 };

enum { BLOCK = 16 };

/* Room for the predictions of all rows of a run, and of the tokens of one class. */
typedef struct {
    float *classes; /* [rows][classes], nats */
    float *tokens;  /* [class_size, padded to whole panels], nats */
    int32_t *frequency;
} predictions;

static int predictions_init(predictions *p, const r3_expander *e, int rows)
{
    size_t most = e->classes > e->class_size ? e->classes : e->class_size;
    p->classes = malloc((size_t)rows * e->classes * sizeof *p->classes);
    p->tokens = malloc((size_t)parts_of(e->class_size, PANEL) * PANEL * sizeof *p->tokens);
    p->frequency = malloc(most * sizeof *p->frequency);
    return p->classes && p->tokens && p->frequency ? OK : NO_MEMORY;
}

static void predictions_free(predictions *p)
{
    free(p->classes);
    free(p->tokens);
    free(p->frequency);
}

/* Predict the classes at all rows of the last run. */
static void predict(predictions *p, const expansion *x)
{
    multiply_all(x->expander->classes_of, x->states, x->state_row, x->begin[x->segments],
                 p->classes);
}

/* Frequencies from predictions in nats, which are overwritten. */
static const int32_t *frequencies(const predictions *p, const r3_expander *e, float *nats, int size)
{
    for (int i = 0; i < size; i++)
        nats[i] = rintf(nats[i] * PREDICTION_STEPS);
    float best = largest(nats, size);
    for (int i = 0; i < size; i++)
        p->frequency[i] = e->frequency[entry(best, nats[i], e->frequency_count)];
    return p->frequency;
}

static const int32_t *of_classes(const predictions *p, const expansion *x, int row)
{
    const r3_expander *e = x->expander;
    return frequencies(p, e, p->classes + (size_t)row * e->classes, e->classes);
}

static const int32_t *of_tokens(const predictions *p, const expansion *x, int row, int64_t class)
{
    const r3_expander *e = x->expander;
    int panels = parts_of(e->class_size, PANEL);
    multiply_row(e->tokens_of, (int)class * panels, panels, x->states + row * x->state_row,
                 p->tokens);
    return frequencies(p, e, p->tokens, e->class_size);
}

static int64_t sum(const int32_t *frequency, int64_t size)
{
    int64_t total = 0;
    for (int64_t i = 0; i < size; i++)
        total += frequency[i];
    return total;
}

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

/* Write where a symbol lies into column `token` of a row of starts, sizes and totals. */
static void locate(const int32_t *frequency, int size, int64_t symbol, int64_t *to, int64_t stride)
{
    to[0] = sum(frequency, symbol);
    to[stride] = frequency[symbol];
    to[2 * stride] = to[0] + sum(frequency + symbol, size - symbol);
}

static int measure_some(const r3_expander *e, const r3_segments *of, int first, int segments,
                        int rows, const int64_t *tokens, int64_t all, int64_t *intervals)
{
    expansion x;
    predictions p = {0};
    int done = expansion_init(&x, e, of, first, segments, rows);
    if (done == OK)
        done = predictions_init(&p, e, rows);
    if (done == OK)
        done = expansion_run(&x, 0, e->rounds, tokens);
    if (done == OK) {
        predict(&p, &x);
        int64_t begin = 0;
        for (int segment = 0; segment < segments; begin += x.count[segment++])
            for (int row = x.begin[segment] + SLOTS; row < x.begin[segment + 1]; row++) {
                int64_t at = begin + x.place[row], class = tokens[at] / e->class_size;
                locate(of_classes(&p, &x, row), e->classes, class, intervals + at, 2 * all);
                locate(of_tokens(&p, &x, row, class), e->class_size, tokens[at] % e->class_size,
                       intervals + all + at, 2 * all);
            }
    }
    predictions_free(&p);
    expansion_free(&x);
    return done;
}

int32_t r3_measure(const r3_expander *e, const r3_segments *of, const int64_t *tokens,
                   int64_t *intervals)
{
    fenv_t host = enter();
    int64_t all = 0, begin = 0;
    for (int segment = 0; segment < of->segments; segment++)
        all += of->count[segment];
    int done = OK;
    for (int first = 0, next; first < of->segments && done == OK; first = next) {
        int64_t count = 0;
        int rows = 0;
        for (next = first; next < of->segments; next++) {
            int more = SLOTS + (int)of->count[next];
            if (rows && rows + more > ROWS_TOGETHER)
                break;
            rows += more;
            count += of->count[next];
        }
        done = measure_some(e, of, first, next - first, rows, tokens + begin, all,
                            intervals + begin);
        begin += count;
    }
    leave(host);
    return done;
}

/* Read the tokens of a round: of all segments their classes, then the tokens in these. */
static void read_round(const expansion *x, const predictions *p, const int64_t *stream,
                       r3_reader *readers, int64_t *tokens)
{
    const r3_expander *e = x->expander;
    int64_t *of = tokens;
    for (int segment = 0; segment < x->segments; of += x->count[segment++])
        for (int row = x->begin[segment]; row < x->begin[segment + 1]; row++)
            if (x->place[row] >= 0)
                of[x->place[row]] =
                    read_symbol(&readers[stream[segment]], of_classes(p, x, row), e->classes);
    of = tokens;
    for (int segment = 0; segment < x->segments; of += x->count[segment++])
        for (int row = x->begin[segment]; row < x->begin[segment + 1]; row++)
            if (x->place[row] >= 0) {
                int64_t *token = of + x->place[row], class = *token;
                *token = class * e->class_size
                         + read_symbol(&readers[stream[segment]], of_tokens(p, x, row, class),
                                       e->class_size);
            }
}

int32_t r3_expand(const r3_expander *e, const r3_segments *of, const int64_t *stream,
                  r3_reader *readers, int64_t *tokens)
{
    fenv_t host = enter();
    expansion x;
    predictions p = {0};
    int most = 0;
    for (int round = 0; round < e->rounds; round++) {
        int rows = rows_of_all(e, of, round, round + 1);
        most = rows > most ? rows : most;
    }
    int done = expansion_init(&x, e, of, 0, of->segments, most);
    if (done == OK)
        done = predictions_init(&p, e, most);
    for (int round = 0; round < e->rounds && done == OK; round++) {
        done = expansion_run(&x, round, round + 1, tokens);
        if (done == OK) {
            predict(&p, &x);
            read_round(&x, &p, stream, readers, tokens);
        }
    }
    predictions_free(&p);
    expansion_free(&x);
    leave(host);
    return done;
}
