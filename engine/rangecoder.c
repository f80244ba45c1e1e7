/* Range coder over integer frequencies, with a tail of less than one byte.
 *
 * Numbers follow G. N. N. Martin, "Range encoding" (1979), in 64 bits: big-endian bytes, a carry
 * runs back into what was written, and a decoder reads zeros past the end. Totals stay below 2^48,
 * far below the smallest range, 2^56, so that rounding costs nothing to speak of.
 */
#include "rangecoder.h"

static const uint64_t LOW = (uint64_t)1 << 56;

void r3_read_begin(r3_reader *reader, const uint8_t *code, uint64_t size)
{
    *reader = (r3_reader){.code = code, .size = size, .place = 0, .value = 0, .range = UINT64_MAX};
    for (; reader->place < 8; reader->place++)
        reader->value = reader->value << 8 | (reader->place < size ? code[reader->place] : 0);
}

void consume(r3_reader *reader, uint64_t step, uint64_t start, uint64_t size)
{
    reader->value -= step * start;
    reader->range = step * size;
    while (reader->range < LOW) {
        uint64_t byte = reader->place < reader->size ? reader->code[reader->place] : 0;
        reader->value = reader->value << 8 | byte;
        reader->place++;
        reader->range <<= 8;
    }
}

int32_t r3_read_symbol(r3_reader *reader, const int64_t *cumulative, int32_t symbols)
{
    uint64_t total = (uint64_t)cumulative[symbols], step;
    int64_t wanted = (int64_t)target(reader, total, &step);
    int32_t low = 0, high = symbols;
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;
        if (cumulative[middle] <= wanted)
            low = middle;
        else
            high = middle;
    }
    consume(reader, step, (uint64_t)cumulative[low],
            (uint64_t)(cumulative[low + 1] - cumulative[low]));
    return low;
}

uint64_t r3_read_uniform(r3_reader *reader, uint64_t total)
{
    uint64_t step, value = target(reader, total, &step);
    consume(reader, step, value, 1);
    return value;
}

/* Add one to a number of big-endian bytes that ends before `end`. */
static void carry(uint8_t *end)
{
    while (*--end == 255)
        *end = 0;
    ++*end;
}

uint64_t r3_write(uint64_t symbols, const uint64_t *start, const uint64_t *size,
                  const uint64_t *total, uint8_t *code)
{
    uint64_t low = 0, range = UINT64_MAX;
    uint8_t *out = code;
    for (uint64_t s = 0; s < symbols; s++) {
        uint64_t step = range / total[s], before = low;
        low += step * start[s];
        range = step * size[s];
        if (low < before)
            carry(out);
        for (; range < LOW; range <<= 8) {
            *out++ = (uint8_t)(low >> 56);
            low <<= 8;
        }
    }
    /* The shortest tail whose every continuation by zeros lies in the last interval. */
    uint64_t point = low;
    for (int kept = 0; kept < 64; kept += 8) {
        uint64_t within = UINT64_MAX >> kept, rounded = (low + within) & ~within;
        if (rounded - low < range) {
            point = rounded;
            break;
        }
    }
    if (point < low)
        carry(out);
    for (int shift = 56; shift >= 0; shift -= 8)
        *out++ = (uint8_t)(point >> shift);
    while (out > code && out[-1] == 0)
        out--;
    return (uint64_t)(out - code);
}
