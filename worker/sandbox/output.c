#include "worker/sandbox/output.h"

#include <stdatomic.h>
#include <string.h>

struct output {
    char *start;
    uint64_t kept_bytes, written_bytes, limit_bytes;
    struct job_stream_counter *counter;
};

static struct output outputs[2];

void
output_touch(struct job_memory_header *shared)
{
    volatile char *bytes = (volatile char *)shared;

    bytes[offsetof(struct job_memory_header, output)] = 0;
    for (int stream = 0; stream < 2; stream++)
        if (shared->output_capacity > 0)
            bytes[shared->output_offset[stream]] = 0;
}

void
output_begin(struct job_memory_header *shared)
{
    uint64_t limit = shared->output_limit_bytes;

    if (limit > shared->output_capacity)
        limit = shared->output_capacity;
    for (int stream = 0; stream < 2; stream++)
        outputs[stream] = (struct output){
            .start = (char *)shared + shared->output_offset[stream],
            .limit_bytes = limit,
            .counter = &shared->output[stream],
        };
}

void
output_write(int stream, const void *data, size_t size)
{
    struct output *output = &outputs[stream];
    uint64_t room = output->limit_bytes - output->kept_bytes;
    size_t taken = size < room ? size : (size_t)room;

    memcpy(output->start + output->kept_bytes, data, taken);
    output->kept_bytes += taken;
    output->written_bytes += size;
    /* In this order: a reader never sees more kept than written. */
    atomic_store_explicit(&output->counter->written_bytes, output->written_bytes,
                          memory_order_relaxed);
    atomic_store_explicit(&output->counter->kept_bytes, output->kept_bytes, memory_order_release);
}
