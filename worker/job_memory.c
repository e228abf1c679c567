/* Layout, records and counters of the memory shared with one job process. */
#include "worker/job_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/artifact.h"
#include "common/file_name.h"

#ifndef MFD_NOEXEC_SEAL /* Linux 6.3; not yet in every libc */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define HOST_PAGE_BYTES 4096u
#define RECORD_ALIGN    8u
/* Keeps every sum of capacities far away from overflow. */
#define CAPACITY_MAX    ((uint64_t)1 << 40)

static uint64_t
round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static struct job_memory_header
lay_out(const struct job_memory_sizes *sizes)
{
    struct job_memory_header header = {.version = JOB_MEMORY_VERSION};

    header.input_offset = JOB_MEMORY_HEADER_BYTES;
    header.input_capacity = round_up(sizes->input, HOST_PAGE_BYTES);
    header.output_capacity = round_up(sizes->output, HOST_PAGE_BYTES);
    header.artifact_capacity = round_up(sizes->artifacts, HOST_PAGE_BYTES);
    header.output_offset[0] = header.input_offset + header.input_capacity;
    header.output_offset[1] = header.output_offset[0] + header.output_capacity;
    header.artifact_offset = header.output_offset[1] + header.output_capacity;
    header.total_bytes = header.artifact_offset + header.artifact_capacity;
    return header;
}

/* A memfd of that size, which nobody can resize any more; nor execute, where the kernel helps. */
static int
create_sealed(uint64_t bytes, struct err *err)
{
    int fd = memfd_create("retort-job", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("retort-job", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_set(err, ERR_SYSTEM, errno, "cannot create a job's memory");
    if (ftruncate(fd, (off_t)bytes) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        int code = errno;
        close(fd);
        return err_set(err, ERR_SYSTEM, code, "cannot size a job's memory");
    }
    return fd;
}

int
job_memory_open_sized(struct job_memory *memory, const struct job_memory_sizes *sizes,
                      struct err *err)
{
    *memory = (struct job_memory){.fd = -1};
    if (sizes->input > CAPACITY_MAX || sizes->output > CAPACITY_MAX ||
        sizes->artifacts > CAPACITY_MAX)
        return err_set(err, ERR_TOO_LARGE, 0, "a job's memory of that size is not possible");
    struct job_memory_header layout = lay_out(sizes);
    int fd = create_sealed(layout.total_bytes, err);
    if (fd < 0)
        return -1;
    void *mapped = mmap(NULL, layout.total_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) {
        int code = errno;
        close(fd);
        return err_set(err, ERR_SYSTEM, code, "cannot map a job's memory");
    }
    *memory = (struct job_memory){
        .fd = fd,
        .header = mapped,
        .mapped_bytes = (size_t)layout.total_bytes,
        .input_offset = layout.input_offset,
        .input_capacity = layout.input_capacity,
        .output_offset = {layout.output_offset[0], layout.output_offset[1]},
        .output_capacity = layout.output_capacity,
        .output_limit_bytes = layout.output_capacity,
        .artifact_offset = layout.artifact_offset,
        .artifact_capacity = layout.artifact_capacity,
    };
    *memory->header = layout;
    return 0;
}

int
job_memory_open(struct job_memory *memory, size_t input_capacity, size_t output_capacity,
                struct err *err)
{
    const struct job_memory_sizes sizes = {.input = input_capacity, .output = output_capacity};

    return job_memory_open_sized(memory, &sizes, err);
}

void
job_memory_close(struct job_memory *memory)
{
    if (memory->header != NULL)
        munmap(memory->header, memory->mapped_bytes);
    if (memory->fd >= 0)
        close(memory->fd);
    *memory = (struct job_memory){.fd = -1};
}

static size_t
record_bytes(size_t sum, size_t name_bytes, size_t data_bytes)
{
    if (__builtin_add_overflow(sum, name_bytes, &sum) ||
        __builtin_add_overflow(sum, data_bytes, &sum) || sum > SIZE_MAX - RECORD_ALIGN)
        return SIZE_MAX;
    return (size_t)round_up(sum, RECORD_ALIGN);
}

size_t
job_record_bytes(size_t name_bytes, size_t data_bytes)
{
    return record_bytes(sizeof(struct job_record), name_bytes, data_bytes);
}

size_t
artifact_record_bytes(size_t name_bytes, size_t data_bytes)
{
    return record_bytes(sizeof(struct artifact_record), name_bytes, data_bytes);
}

size_t
job_memory_artifact_capacity(uint32_t artifacts, uint64_t total_bytes)
{
    size_t head = artifact_record_bytes(FILE_NAME_BYTES, RECORD_ALIGN);

    return (size_t)total_bytes + ((size_t)artifacts + ARTIFACTS_REFUSED_MOST) * head;
}

int
job_memory_next_artifact(const struct job_memory *memory, uint64_t *cursor,
                         struct artifact_view *view)
{
    uint64_t end = atomic_load_explicit(&memory->header->artifact_bytes, memory_order_acquire);
    struct artifact_record *record = &view->record;

    if (end > memory->artifact_capacity)
        end = memory->artifact_capacity;
    if (*cursor >= end)
        return 0;
    uint64_t left = end - *cursor;
    if (left < sizeof(*record))
        return -1;
    const char *at = (const char *)memory->header + memory->artifact_offset + *cursor;
    memcpy(record, at, sizeof(*record));
    left -= sizeof(*record);
    if (record->name_bytes > left || (record->kept && record->size > left - record->name_bytes))
        return -1;
    view->name = at + sizeof(*record);
    view->data = view->name + record->name_bytes;
    *cursor += artifact_record_bytes(record->name_bytes, record->kept ? (size_t)record->size : 0);
    return 1;
}

int
job_memory_add_record(struct job_memory *memory, enum job_record_type type, const char *name,
                      const void *data, size_t size, struct err *err)
{
    size_t name_bytes = name != NULL ? strlen(name) : 0;
    size_t needed = job_record_bytes(name_bytes, size);
    struct job_record record = {.type = (uint32_t)type, .data_bytes = size};

    if (name_bytes > UINT32_MAX || needed > memory->input_capacity - memory->input_bytes)
        return err_set(err, ERR_TOO_LARGE, 0, "the input of the job is larger than %llu bytes",
                       (unsigned long long)memory->input_capacity);
    record.name_bytes = (uint32_t)name_bytes;
    char *at = (char *)memory->header + memory->input_offset + memory->input_bytes;
    memcpy(at, &record, sizeof(record));
    if (name_bytes > 0)
        memcpy(at + sizeof(record), name, name_bytes);
    if (size > 0)
        memcpy(at + sizeof(record) + name_bytes, data, size);
    memory->input_bytes += needed;
    memory->header->input_bytes = memory->input_bytes;
    return 0;
}

const char *
job_memory_output(const struct job_memory *memory, int stream, size_t *kept_bytes,
                  uint64_t *dropped_bytes)
{
    const struct job_stream_counter *counter = &memory->header->output[stream];
    /* The job process raises written_bytes first, so reading it last never shows too little. */
    uint64_t kept = atomic_load_explicit(&counter->kept_bytes, memory_order_acquire);
    uint64_t written = atomic_load_explicit(&counter->written_bytes, memory_order_relaxed);

    if (kept > memory->output_limit_bytes)
        kept = memory->output_limit_bytes;
    /* What prints it may know signed numbers only. */
    if (written > INT64_MAX)
        written = INT64_MAX;
    *kept_bytes = (size_t)kept;
    *dropped_bytes = written > kept ? written - kept : 0;
    return (const char *)memory->header + memory->output_offset[stream];
}

int
job_memory_next_record(const struct job_memory_header *header, uint64_t *cursor,
                       struct job_record_view *view)
{
    struct job_record record;
    uint64_t end = header->input_bytes;

    if (end > header->input_capacity || *cursor > end)
        return -1;
    if (*cursor == end)
        return 0;
    if (end - *cursor < sizeof(record))
        return -1;
    const char *at = (const char *)header + header->input_offset + *cursor;
    memcpy(&record, at, sizeof(record));
    uint64_t left = end - *cursor - sizeof(record);
    if (record.type < JOB_RECORD_ARG || record.type > JOB_RECORD_STDIN ||
        record.name_bytes > left || record.data_bytes > left - record.name_bytes)
        return -1;
    *view = (struct job_record_view){
        .type = (enum job_record_type)record.type,
        .name = at + sizeof(record),
        .name_bytes = record.name_bytes,
        .data = at + sizeof(record) + record.name_bytes,
        .data_bytes = (size_t)record.data_bytes,
    };
    uint64_t next = *cursor + job_record_bytes(record.name_bytes, (size_t)record.data_bytes);
    *cursor = next < end ? next : end;
    return 1;
}
