#include "matrix.h"

#include <stdlib.h>

/* Rows and panels whose sums stay in the nearest cache while they become reals. */
enum { ROWS_A_BLOCK = 32, PANELS_A_BLOCK = 4 };

void pack(const int8_t *levels, size_t row, int outputs, int inputs, int zero, int8_t *packed,
          int32_t *offset)
{
    int panels = parts_of(outputs, PANEL), groups = parts_of(inputs, GROUP);
    memset(packed, 0, (size_t)panels * groups * PANEL * GROUP);
    memset(offset, 0, (size_t)panels * PANEL * sizeof *offset);
    for (int o = 0; o < outputs; o++) {
        const int8_t *from = levels + o * row;
        int8_t *to = packed + (size_t)(o / PANEL) * groups * PANEL * GROUP + o % PANEL * GROUP;
        int32_t sum = 0;
        for (int i = 0; i < inputs; i++) {
            to[i / GROUP * PANEL * GROUP + i % GROUP] = from[i];
            sum += from[i];
        }
        offset[o] = -zero * sum;
    }
}

static int part_begin(int part) { return part ? FIRST_PART + (part - 1) * NEXT_PART : 0; }

static int part_end(const matrix *m, int part)
{
    int end = part_begin(part + 1);
    return end < m->inputs ? end : m->inputs;
}

matrix *r3_matrix_new(int32_t outputs, int32_t inputs, const int8_t *levels, const float *scale,
                      const float *bias)
{
    int panels = parts_of(outputs, PANEL), groups = parts_of(inputs, GROUP);
    int parts = inputs > FIRST_PART ? 1 + parts_of(inputs - FIRST_PART, NEXT_PART) : 1;
    size_t wide = (size_t)panels * PANEL;
    matrix *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    *m = (matrix){.outputs = outputs, .inputs = inputs, .parts = parts, .panels = panels,
                  .groups = groups,
                  .levels = malloc(wide * groups * GROUP),
                  .offset = malloc(parts * wide * sizeof(int32_t)),
                  .scale = calloc(wide, sizeof(float)),
                  .bias = calloc(wide, sizeof(float))};
    if (!m->levels || !m->offset || !m->scale || !m->bias) {
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
    free(m->levels);
    free(m->offset);
    free(m->scale);
    free(m->bias);
    free(m);
}

/* Sums of a part of the inputs for a block: int32 [rows][panels * 16]. */
static void count(const matrix *m, int part, const level *x, size_t stride, int rows, int panel,
                  int panels, int32_t *sums)
{
    size_t wide = (size_t)m->panels * PANEL;
    int begin = part_begin(part), groups = parts_of(part_end(m, part) - begin, GROUP);
    size_t panel_bytes = (size_t)groups * PANEL * GROUP;
    products(x + begin, stride, rows, m->levels + wide * begin + panel * panel_bytes, panel_bytes,
             groups, panels, m->offset + part * wide + panel * PANEL, sums, (size_t)panels * PANEL);
}

void multiply_panels(const matrix *m, int first, int panels, const level *x, size_t stride, int rows,
                     float *out, size_t out_stride)
{
    int end = first + panels;
    for (int row = 0; row < rows; row += ROWS_A_BLOCK) {
        int high = rows - row < ROWS_A_BLOCK ? rows - row : ROWS_A_BLOCK;
        for (int panel = first; panel < end; panel += PANELS_A_BLOCK) {
            int some = end - panel < PANELS_A_BLOCK ? end - panel : PANELS_A_BLOCK;
            int output = panel * PANEL, wide = some * PANEL;
            int real = m->outputs - output < wide ? m->outputs - output : wide;
            const float *scale = m->scale + output, *bias = m->bias + output;
            int32_t sums[ROWS_A_BLOCK * PANELS_A_BLOCK * PANEL];
            float total[ROWS_A_BLOCK * PANELS_A_BLOCK * PANEL];
            for (int part = 0; part < m->parts; part++) {
                count(m, part, x + row * stride, stride, high, panel, some, sums);
                for (int i = 0; i < high * wide; i++)
                    total[i] = part ? total[i] + (float)sums[i] : (float)sums[i];
            }
            for (int r = 0; r < high; r++) {
                float *to = out + (row + r) * out_stride + (panel - first) * PANEL;
                for (int o = 0; o < real; o++)
                    to[o] = total[r * wide + o] * scale[o] + bias[o];
            }
        }
    }
}

void multiply(const matrix *m, const level *x, size_t stride, int rows, float *out)
{
    multiply_panels(m, 0, m->panels, x, stride, rows, out, m->outputs);
}
