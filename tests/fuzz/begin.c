/* link: tests/fuzz/wasi_world.c tests/unit/wasi/invariants.c tests/unit/wasi/image.c */
/* libs: libretort-sandbox.a */
/* ldflags: -Wl,--wrap=clock_gettime,--wrap=clock_nanosleep,--wrap=getrandom,--wrap=madvise */
/* The beginning of a job, with any records; the first byte chooses the kind of guest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/wasi_world.h"
#include "tests/unit/wasi/invariants.h"

#include "worker/job_memory.h"
#include "worker/wasi/wasi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    struct err err = ERR_INIT;
    struct job_memory_header *header = calloc(1, sizeof(*header) + size);

    if (!made)
        world_make_all();
    made = true;
    header->input_offset = sizeof(*header);
    header->input_capacity = header->input_bytes = size > 0 ? size - 1 : 0;
    memcpy(header + 1, size > 0 ? data + 1 : data, header->input_bytes);
    world_enter(0);
    (void)!wasi_begin_job(header, size > 0 && (data[0] & 1), &err);
    const char *broken = invariants_broken();
    if (broken == NULL)
        broken = world_damage();
    if (broken != NULL) {
        fprintf(stderr, "it is not so that %s\n", broken);
        abort();
    }
    free(header);
    return 0;
}
