/* Checksums of files, no slower than memory is read. */
#include <string.h>

#include "engine.h"

/* Words that are added at once: an addition waits for the one before in its lane only. */
enum { LANES = 16 };

/* The sum with a word added; different sums, and different words, stay different. */
static inline uint64_t added(uint64_t sum, uint64_t word)
{
    sum ^= word;
    return (sum << 29 | sum >> 35) * 0x9E3779B97F4A7C15u; /* odd: 2^64 over the golden ratio */
}

uint64_t r3_checksum(uint64_t before, const uint8_t *bytes, uint64_t size)
{
    uint64_t lanes[LANES] = {0}, words[LANES], sum = added(before, size);
    for (; size >= sizeof words; bytes += sizeof words, size -= sizeof words) {
        memcpy(words, bytes, sizeof words);
        for (int i = 0; i < LANES; i++)
            lanes[i] = added(lanes[i], words[i]);
    }
    memset(words, 0, sizeof words);
    memcpy(words, bytes, size);
    for (int i = 0; i < LANES; i++)
        sum = added(sum, added(lanes[i], words[i]));
    return sum;
}
