/* The engine of the frozen networks: what r3mem_agents/model/native loads with ctypes.
 *
 * One library is compiled for each kind of processor; all of them give the same bits, those of
 * r3mem_agents/model/frozen/interface.py, which says by which arithmetic. Objects are immutable once
 * made, so several threads may use them at once. Tensors that are handed over stay the caller's and
 * have to outlive what is made from them; of a matrix only the room does.
 *
 * What is handed over is trusted: r3mem_agents/model/native/bounds.py is where counts, pieces, tokens
 * and streams are looked at. Codes are not, whatever their bytes are. Floats are rounded to nearest in
 * every call, whatever the host has set. A call gives OK, or says why it did nothing.
 */
#ifndef R3_ENGINE_H
#define R3_ENGINE_H

#include <stdint.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#define R3_VERSION 3

enum { OK = 0, NO_MEMORY = 1 };

typedef struct matrix matrix;
typedef struct stack stack;
typedef struct team team;

/* Version of this interface. */
EXPORT int32_t r3_version(void);

/* What the processor can run beside portable C; the library for the last of these is the fastest. */
enum { R3_AVX2 = 1, R3_AVX_VNNI = 2, R3_AVX512_VNNI = 4, R3_DOT_PRODUCTS = 8 };
EXPORT int32_t r3_processor(void);

/* A checksum of bytes, with the one of those before them: nothing that differs within eight bytes
 * at a multiple of eight has the same, and little else. */
EXPORT uint64_t r3_checksum(uint64_t before, const uint8_t *bytes, uint64_t size);

/* ---- Matrices: reals out of levels (product.h) ---- */

/* Room that the levels of a matrix take. */
EXPORT uint64_t r3_matrix_bytes(int32_t outputs, int32_t inputs);

/* A matrix of int8 levels [outputs][inputs] with a scale and, if not NULL, a bias a row; NULL if
 * there is no memory. Its levels are copied to `room`, in the order of products. */
EXPORT matrix *r3_matrix_new(int32_t outputs, int32_t inputs, const int8_t *levels,
                             const float *scale, const float *bias, int8_t *room);
EXPORT void r3_matrix_free(matrix *);

/* ---- Stacks of couplings ---- */

typedef struct {
    int32_t hidden, layers, heads, feedforward;
} r3_sizes;

/* `matrices` are mix, out, widen and narrow of each coupling; `weights` the attention weights by
 * how far a score lies below the best one. They are not copied. */
EXPORT stack *r3_stack_new(const r3_sizes *, const matrix *const *matrices,
                           const uint8_t *weights, int32_t weights_count);
EXPORT void r3_stack_free(stack *);

/* ---- Teams: threads that work on one call (team.c) ---- */

/* A team for one call after the other, of so many threads at most, the caller's among them; NULL if
 * there is no memory. Calls take NULL for one thread. */
EXPORT team *r3_team_new(int32_t members);
EXPORT void r3_team_free(team *);

/* Help with what the calls of the team hand out, until it is dismissed; at once if it was. */
EXPORT void r3_team_help(team *);
EXPORT void r3_team_dismiss(team *);

/* ---- Forward ---- */

/* Embeddings of word pieces: int8 levels [vocabulary][hidden] and their scales. */
typedef struct {
    const int8_t *levels;
    const float *scale;
} r3_embedding;

/* Gists of texts, float [texts][outputs of to_gist].
 *
 * pieces    those of all texts, one after the other
 * count     how many each text has, 1 at least
 * position  float [positions][hidden]
 */
EXPORT int32_t r3_encode(const stack *, team *, r3_embedding, const float *position,
                         const matrix *to_gist, int32_t texts, const int64_t *pieces,
                         const int64_t *count, float *gists);

/* What is read of both turns of each pair, float [pairs][2][compared].
 *
 * pieces  of the older and then the newer turn of each pair, pair after pair
 * count   int64 [pairs][2]
 * side    float [2][hidden], added to the pieces of the older and of the newer turn
 * read    2 * compared outputs
 */
EXPORT int32_t r3_compare(const stack *, team *, r3_embedding, const float *position,
                          const float *side, const matrix *read, int32_t pairs, const int64_t *pieces,
                          const int64_t *count, float *found);

/* ---- Backward ---- */

/* What an expander consists of; see r3mem_agents/model/frozen/interface.py. */
typedef struct {
    int32_t segment_tokens, rounds, classes, class_size, gist_bits;
    const stack *stack;
    const matrix *classes_of, *tokens_of; /* tokens_of: a class is padded to whole panels */
    const matrix *from_gist;
    r3_embedding embedding;
    const float *blank, *role, *edge, *after_start, *before_end, *length;
    const float *bias;                    /* [layers - 1][heads][rows], in score steps */
    const int64_t *round_of, *role_of;    /* the schedule: [segment_tokens + 1][segment_tokens] */
    const int32_t *frequency;             /* by how far a prediction lies below the best one */
    int32_t frequency_count;
} r3_expander;

/* Segments of text, as they are known before the first round. */
typedef struct {
    int32_t segments;
    const int64_t *count;
    const uint8_t *continued; /* 0 or 1 */
    const uint8_t *gists;     /* [segments][gist_bits / 8], most significant bit first */
} r3_segments;

/* Where tokens lie among the frequencies predicted for them.
 *
 * tokens     those of all segments, one after the other
 * intervals  int64 [3][2][tokens]: start, size and total of the class, then of the token in it
 */
EXPORT int32_t r3_measure(const r3_expander *, team *, const r3_segments *, const int64_t *tokens,
                          int64_t *intervals);

/* ---- Streams (rangecoder.c) ---- */

/* Where a stream is read. */
typedef struct {
    const uint8_t *code;
    uint64_t size, place, value, range;
} r3_reader;

/* The tokens of segments, one after the other, read from the streams that they are in.
 *
 * stream  which of `readers` each segment is in; a segment comes after those before it in its text
 */
EXPORT int32_t r3_expand(const r3_expander *, team *, const r3_segments *, const int64_t *stream,
                         r3_reader *readers, int64_t *tokens);

/* Begin to read a code. */
EXPORT void r3_read_begin(r3_reader *, const uint8_t *code, uint64_t size);

/* The next symbol under cumulative frequencies, which have one entry more than there are symbols. */
EXPORT int32_t r3_read_symbol(r3_reader *, const int64_t *cumulative, int32_t symbols);

/* A number below `total`, all equally likely. */
EXPORT uint64_t r3_read_uniform(r3_reader *, uint64_t total);

/* Write symbols as intervals `start .. start + size` of `0 .. total`.
 *
 * code  room for 8 bytes a symbol and 16 more
 * Gives the size of the code.
 */
EXPORT uint64_t r3_write(uint64_t symbols, const uint64_t *start, const uint64_t *size,
                         const uint64_t *total, uint8_t *code);

#endif
