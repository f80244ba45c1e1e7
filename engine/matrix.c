#include "matrix.h"

#include <stdlib.h>

/* Put levels where products find them; gives the offsets to begin with, `zero` being what is
 * added to what they are multiplied with.
 *
 * levels   [outputs][row], of which `inputs` are taken
 * packed   [panels][groups][16][4], written whole
 * offset   [panels * 16], written whole
 */
static void pack(const int8_t *levels, size_t row, int outputs, int inputs, int zero,
                 int8_t *packed, int32_t *offset)
{
    int panels = parts_of(outputs, PANEL), groups = parts_of(inputs, GROUP);
    int whole = inputs / GROUP;
    size_t panel_bytes = (size_t)groups * PANEL * GROUP;
    memset(offset, 0, (size_t)panels * PANEL * sizeof *offset);
    for (int o = 0; o < outputs; o++) {
        const int8_t *from = levels + o * row;
        int8_t *panel = packed + o / PANEL * panel_bytes, *to = panel + o % PANEL * GROUP;
        int32_t sum = 0;
        if (o % PANEL == 0)
            memset(panel, 0, panel_bytes);
        for (int g = 0; g < whole; g++)
            memcpy(to + g * PANEL * GROUP, from + g * GROUP, GROUP);
        if (inputs % GROUP)
            memcpy(to + whole * PANEL * GROUP, from + whole * GROUP, inputs % GROUP);
        for (int i = 0; i < inputs; i++)
            sum += from[i];
        offset[o] = -zero * sum;
    }
}

static int part_begin(int part) { return part ? FIRST_PART + (part - 1) * NEXT_PART : 0; }

static int part_end(const matrix *m, int part)
{
    int end = part_begin(part + 1);
    return end < m->inputs ? end : m->inputs;
}

uint64_t r3_matrix_bytes(int32_t outputs, int32_t inputs)
{
    return (uint64_t)parts_of(outputs, PANEL) * PANEL * parts_of(inputs, GROUP) * GROUP;
}

matrix *r3_matrix_new(int32_t outputs, int32_t inputs, const int8_t *levels, const float *scale,
                      const float *bias, int8_t *room)
{
    int panels = parts_of(outputs, PANEL), groups = parts_of(inputs, GROUP);
    int parts = inputs > FIRST_PART ? 1 + parts_of(inputs - FIRST_PART, NEXT_PART) : 1;
    size_t wide = (size_t)panels * PANEL;
    matrix *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    *m = (matrix){.outputs = outputs, .inputs = inputs, .parts = parts, .panels = panels,
                  .groups = groups,
                  .levels = room,
                  .offset = malloc(parts * wide * sizeof(int32_t)),
                  .scale = calloc(wide, sizeof(float)),
                  .bias = calloc(wide, sizeof(float))};
    if (!m->offset || !m->scale || !m->bias) {
        r3_matrix_free(m);
        return NULL;
    }
    for (int part = 0; part < parts; part++) {
        int begin = part_begin(part);
        pack(levels + begin, inputs, outputs, part_end(m, part) - begin, LEVEL_ZERO,
             m->levels + wide * begin, m->offset + part * wide);
    }
    memcpy(m->scale, scale, outputs * sizeof(float));
    if (bias)
        memcpy(m->bias, bias, outputs * sizeof(float));
    return m;
}

void r3_matrix_free(matrix *m)
{
    if (!m)
        return;
    free(m->offset);
    free(m->scale);
    free(m->bias);
    free(m);
}

/* Sums of a part of the inputs for a block: int32 [rows][BLOCK_WIDTH]. */
static void count(const matrix *m, int part, const level *x, size_t stride, int rows, int panel,
                  int panels, int32_t *sums)
{
    size_t wide = (size_t)m->panels * PANEL;
    int begin = part_begin(part), groups = parts_of(part_end(m, part) - begin, GROUP);
    size_t panel_bytes = (size_t)groups * PANEL * GROUP;
    products(x + begin, stride, rows, m->levels + wide * begin + panel * panel_bytes, panel_bytes,
             groups, panels, m->offset + part * wide + panel * PANEL, sums, BLOCK_WIDTH);
}

/* Reals from the sums of all parts, row by row. */
static void scale_sums(const int32_t *restrict sums, const float *restrict before, int rows,
                       const float *restrict scale, const float *restrict bias, int outputs,
                       float *restrict reals)
{
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < outputs; o++) {
            int i = r * BLOCK_WIDTH + o;
            float sum = before ? before[i] + (float)sums[i] : (float)sums[i];
            reals[i] = sum * scale[o] + bias[o];
        }
}

void multiply(const matrix *m, int first, int panels, const level *x, size_t stride, int rows,
              taker *take, const void *to)
{
    int32_t sums[ROWS_A_BLOCK * BLOCK_WIDTH];
    float before[ROWS_A_BLOCK * BLOCK_WIDTH], reals[ROWS_A_BLOCK * BLOCK_WIDTH];
    int end = first + panels, last = m->parts - 1;
    for (int row = 0; row < rows; row += ROWS_A_BLOCK) {
        int high = rows - row < ROWS_A_BLOCK ? rows - row : ROWS_A_BLOCK;
        for (int panel = first; panel < end; panel += PANELS_A_BLOCK) {
            int some = end - panel < PANELS_A_BLOCK ? end - panel : PANELS_A_BLOCK;
            int output = panel * PANEL, wide = some * PANEL;
            for (int part = 0; part < last; part++) {
                count(m, part, x + row * stride, stride, high, panel, some, sums);
                for (int i = 0; i < high * BLOCK_WIDTH; i++)
                    before[i] = part ? before[i] + (float)sums[i] : (float)sums[i];
            }
            count(m, last, x + row * stride, stride, high, panel, some, sums);
            scale_sums(sums, last ? before : NULL, high, m->scale + output, m->bias + output, wide,
                       reals);
            int real = m->outputs - output < wide ? m->outputs - output : wide;
            take(&(block){row, high, (panel - first) * PANEL, real, reals}, to);
        }
    }
}

typedef struct {
    float *reals;
    size_t row;
} rows_of_reals;

static void take_reals(const block *b, const void *to)
{
    const rows_of_reals *all = to;
    for (int r = 0; r < b->rows; r++)
        memcpy(all->reals + (b->row + r) * all->row + b->output, b->reals + r * BLOCK_WIDTH,
               b->outputs * sizeof(float));
}

void multiply_all(const matrix *m, const level *x, size_t stride, int rows, float *out)
{
    multiply(m, 0, m->panels, x, stride, rows, take_reals, &(rows_of_reals){out, m->outputs});
}

void multiply_row(const matrix *m, int first, int panels, const level *x, float *out)
{
    multiply(m, first, panels, x, 0, 1, take_reals, &(rows_of_reals){out, 0});
}
