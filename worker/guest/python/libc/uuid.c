/*
 * UUIDs of time and node, as RFC 4122 (4.2) has them. There is no network card: the node is
 * random, with the bit that no card's address has (4.5), made by the job and not by what it was
 * forked from.
 */
#include "uuid.h"

#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NODE_BYTES        6
/* From 15 October 1582 to 1970, in steps of 100 ns. */
#define GREGORIAN_TO_UNIX UINT64_C(0x01b21dd213814000)

static void
put_be(unsigned char *out, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--, value >>= 8)
        out[i] = (unsigned char)value;
}

/* No two calls get the same. */
static uint64_t
next_time(void)
{
    static uint64_t last;
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    uint64_t time = (uint64_t)now.tv_sec * 10000000 + (uint64_t)now.tv_nsec / 100;
    last = time > last ? time : last + 1;
    return last + GREGORIAN_TO_UNIX;
}

int
uuid_generate_time_safe(uuid_t out)
{
    static unsigned char sequence_and_node[2 + NODE_BYTES];
    uint64_t time = next_time();

    if (sequence_and_node[2] == 0) {
        if (getentropy(sequence_and_node, sizeof(sequence_and_node)) < 0)
            return -1;
        sequence_and_node[0] = (unsigned char)((sequence_and_node[0] & 0x3f) | 0x80);
        sequence_and_node[2] |= 1;
    }
    put_be(out, time & UINT32_MAX, 4);
    put_be(out + 4, time >> 32 & UINT16_MAX, 2);
    put_be(out + 6, time >> 48 | 1 << 12, 2);
    memcpy(out + 8, sequence_and_node, sizeof(sequence_and_node));
    return -1;
}
