/* Known tokens: where they lie among the frequencies that the backward pass predicts for them. */
#include "environment.h"
#include "predictions.h"

/* Positions that are measured together: enough that weights are read seldom. */
enum { ROWS_TOGETHER = 256 };

/* Write where a symbol lies into column `token` of a row of starts, sizes and totals. */
static void locate(const int32_t *frequency, int size, int64_t symbol, int64_t *to, int64_t stride)
{
    to[0] = sum(frequency, symbol);
    to[stride] = frequency[symbol];
    to[2 * stride] = to[0] + sum(frequency + symbol, size - symbol);
}

/* Tokens to be measured, of which `all` belong to the call. */
typedef struct {
    predictions predictions;
    const int64_t *tokens;
    int64_t *intervals, all;
} measurement;

/* Measure what some rows of the last run predict. */
static int measure_rows(void *of, int first, int end)
{
    measurement *m = of;
    const expansion *x = m->predictions.expansion;
    const r3_expander *e = x->expander;
    in_class c;
    int done = in_class_init(&c, e);
    if (done == OK)
        done = predict_rows(&m->predictions, first, end);
    int64_t begin = 0;
    for (int segment = 0; segment < x->segments && done == OK; begin += x->count[segment++])
        for (int row = x->begin[segment] > first ? x->begin[segment] : first;
             row < x->begin[segment + 1] && row < end; row++) {
            if (x->place[row] < 0)
                continue;
            int64_t at = begin + x->place[row], token = m->tokens[at];
            int64_t class = token / e->class_size, *to = m->intervals + at, stride = 2 * m->all;
            locate(of_classes(&m->predictions, row), e->classes, class, to, stride);
            locate(of_tokens(&m->predictions, &c, row, class), e->class_size,
                   token % e->class_size, to + m->all, stride);
        }
    in_class_free(&c);
    return done;
}

static int measure_some(const r3_expander *e, team *team, const r3_segments *of, int first,
                        int segments, int rows, const int64_t *tokens, int64_t all,
                        int64_t *intervals)
{
    expansion x;
    measurement m = {.tokens = tokens, .intervals = intervals, .all = all};
    int done = expansion_init(&x, e, team, of, first, segments, rows);
    if (done == OK)
        done = predictions_init(&m.predictions, &x, rows);
    if (done == OK)
        done = expansion_run(&x, 0, e->rounds, tokens);
    if (done == OK)
        done = share(team, rows, measure_rows, &m);
    predictions_free(&m.predictions);
    expansion_free(&x);
    return done;
}

int32_t r3_measure(const r3_expander *e, team *team, const r3_segments *of, const int64_t *tokens,
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
        done = measure_some(e, team, of, first, next - first, rows, tokens + begin, all,
                            intervals + begin);
        begin += count;
    }
    leave(host);
    return done;
}
