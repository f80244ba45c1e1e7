/* Makes the calls again that recorder.py wrote down, and compares what they give to the bit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

enum { MOST = 4096 };

static char *at, *end;
static void *made[MOST];
static int many;

/* The next block of the file, and its size. */
static const void *sized(int64_t *size)
{
    memcpy(size, at, sizeof *size);
    const void *block = at + sizeof *size;
    at += sizeof *size + (*size + 7) / 8 * 8;
    return block;
}

static const void *next(void)
{
    int64_t size;
    return sized(&size);
}

static void *room(size_t size)
{
    void *found = calloc(size + 1, 1);
    if (!found)
        abort();
    return found;
}

/* Compare with the next block. */
static void same(const char *call, const void *found, int32_t status)
{
    int64_t size;
    const void *wanted = sized(&size);
    if (status == OK && !memcmp(found, wanted, size))
        return;
    fprintf(stderr, "%s gives other bits\n", call);
    exit(1);
}

/* Room for what the call gives: the last block of its record, which follows `blocks` others. */
static void *result(int blocks)
{
    char *here = at;
    int64_t size = 0;
    for (int i = 0; i <= blocks; i++)
        sized(&size);
    at = here;
    return room(size);
}

static void new_matrix(void)
{
    const int32_t *shape = next();
    const void *levels = next(), *scale = next(), *bias = next();
    int8_t *packed = room(r3_matrix_bytes(shape[0], shape[1]));
    made[many++] = r3_matrix_new(shape[0], shape[1], levels, scale, shape[2] ? bias : NULL, packed);
}

static void new_stack(void)
{
    const r3_sizes *sizes = next();
    int64_t size;
    const int32_t *numbers = sized(&size);
    const matrix *matrices[MOST];
    for (int i = 0; i < size / 4; i++)
        matrices[i] = made[numbers[i]];
    const uint8_t *weights = sized(&size);
    made[many++] = r3_stack_new(sizes, matrices, weights, (int32_t)size);
}

static void new_expander(void)
{
    r3_expander *e = room(sizeof *e);
    const int32_t *sizes = next(), *numbers = next();
    e->segment_tokens = sizes[0], e->rounds = sizes[1], e->classes = sizes[2];
    e->class_size = sizes[3], e->gist_bits = sizes[4], e->frequency_count = sizes[5];
    e->stack = made[numbers[0]], e->classes_of = made[numbers[1]];
    e->tokens_of = made[numbers[2]], e->from_gist = made[numbers[3]];
    e->embedding.levels = next(), e->embedding.scale = next();
    e->blank = next(), e->role = next(), e->edge = next(), e->after_start = next();
    e->before_end = next(), e->length = next(), e->bias = next();
    e->round_of = next(), e->role_of = next(), e->frequency = next();
    made[many++] = e;
}

static void encode(void)
{
    void *gists = result(6);
    const int32_t *of = next();
    r3_embedding embedding;
    embedding.levels = next(), embedding.scale = next();
    const void *position = next(), *pieces = next(), *count = next();
    same("r3_encode", gists,
         r3_encode(made[of[0]], NULL, embedding, position, made[of[1]], of[2], pieces, count, gists));
}

static void compare(void)
{
    void *found = result(7);
    const int32_t *of = next();
    r3_embedding embedding;
    embedding.levels = next(), embedding.scale = next();
    const void *position = next(), *side = next(), *pieces = next(), *count = next();
    same("r3_compare", found,
         r3_compare(made[of[0]], NULL, embedding, position, side, made[of[1]], of[2], pieces, count,
                    found));
}

static r3_segments segments(void)
{
    r3_segments found;
    found.segments = *(const int32_t *)next();
    found.count = next(), found.continued = next(), found.gists = next();
    return found;
}

static void measure(void)
{
    void *intervals = result(6);
    const r3_expander *e = made[*(const int32_t *)next()];
    r3_segments of = segments();
    const int64_t *tokens = next();
    same("r3_measure", intervals, r3_measure(e, NULL, &of, tokens, intervals));
}

static void expand(void)
{
    const int32_t *head = next();
    r3_segments of = segments();
    const int64_t *stream = next();
    r3_reader *readers = room(sizeof *readers * head[1]);
    for (int i = 0; i < head[1]; i++) {
        memcpy(&readers[i], next(), sizeof *readers);
        readers[i].code = next();
    }
    int64_t *tokens = result(0);
    same("r3_expand", tokens, r3_expand(made[head[0]], NULL, &of, stream, readers, tokens));
}

int main(int arguments, char **argument)
{
    FILE *file = arguments == 2 ? fopen(argument[1], "rb") : NULL;
    if (!file || fseek(file, 0, SEEK_END))
        return 2;
    long size = ftell(file);
    rewind(file);
    at = room(size), end = at + size;
    if (fread(at, 1, size, file) != (size_t)size)
        return 2;
    static const struct {
        const char *name;
        void (*make)(void);
    } calls[] = {
        {"matrix", new_matrix}, {"stack", new_stack}, {"expander", new_expander},
        {"encode", encode}, {"compare", compare}, {"measure", measure}, {"expand", expand},
    };
    int compared = 0;
    while (at < end) {
        const char *name = next();
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
            if (!strcmp(name, calls[i].name)) {
                calls[i].make();
                compared += i > 2;
                break;
            }
    }
    printf("%d calls give the same bits; instructions %d\n", compared, r3_processor());
    return 0;
}
