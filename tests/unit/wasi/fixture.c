#include "tests/unit/wasi/fixture.h"

#include "worker/engine/engine.h"

char guest_memory[MEMORY_BYTES];
char fixture_output[2][4096];
size_t fixture_output_bytes[2];
struct wasi_config fixture_config;

static uint32_t next_place;

/* Stands in for the engine: memory is one array, and its first KiB is never mapped. */
void *
engine_memory_at(uint32_t address, uint64_t size)
{
    if (address < 1024 || address >= MEMORY_BYTES || size > MEMORY_BYTES - address)
        return NULL;
    return guest_memory + address;
}

static void
keep_output(void *context, int stream, const void *data, size_t size)
{
    size_t *used = &fixture_output_bytes[stream];

    (void)context;
    assert_true(*used + size <= sizeof(fixture_output[0]));
    memcpy(fixture_output[stream] + *used, data, size);
    *used += size;
}

int
fixture_setup(void **state)
{
    static const char *const argv[] = {"python", "-I", NULL};
    static const char *const env[] = {"A=1", "LONGER=value", NULL};
    struct err err = ERR_INIT;

    (void)state;
    next_place = 4096;
    memset(guest_memory, 0x5a, sizeof(guest_memory));
    memset(fixture_output_bytes, 0, sizeof(fixture_output_bytes));
    fixture_config = (struct wasi_config){.argv = argv,
                                          .env = env,
                                          .work_limit_bytes = WORK_LIMIT,
                                          .node_limit = NODE_LIMIT,
                                          .sink.write = keep_output};
    fixture_config.tree = test_image(&fixture_config.tree_bytes);
    assert_int_equal(wasi_init(&fixture_config, &err), 0);
    return 0;
}

uint32_t
guest_place(size_t size)
{
    uint32_t place = next_place;

    next_place += (uint32_t)((size + 7) / 8 * 8);
    assert_true(next_place <= MEMORY_BYTES);
    return place;
}

uint32_t
guest_string(const char *text)
{
    uint32_t place = guest_place(strlen(text) + 1);

    memcpy(guest_memory + place, text, strlen(text) + 1);
    return place;
}

uint32_t
guest_u32(uint32_t address)
{
    uint32_t value;

    memcpy(&value, guest_memory + address, sizeof(value));
    return value;
}

uint64_t
guest_u64(uint32_t address)
{
    uint64_t value;

    memcpy(&value, guest_memory + address, sizeof(value));
    return value;
}

uint32_t
guest_iovs(uint32_t count, ...)
{
    uint32_t place = guest_place(count * sizeof(struct wasi_iovec));
    va_list args;

    va_start(args, count);
    for (uint32_t i = 0; i < count * 2; i++) {
        uint32_t value = va_arg(args, uint32_t);
        memcpy(guest_memory + place + i * sizeof(value), &value, sizeof(value));
    }
    va_end(args);
    return place;
}

int
open_at(uint32_t fd, const char *path, uint32_t flags, uint64_t rights, uint32_t fd_flags)
{
    uint32_t ret = guest_place(4);
    uint32_t error =
        wasi_path_open(fd, WASI_LOOKUP_FOLLOW, guest_string(path), (uint32_t)strlen(path), flags,
                       rights, EVERYTHING, fd_flags, ret);

    return error != WASI_OK ? -(int)error : (int)guest_u32(ret);
}

int
open_file(const char *path, uint32_t flags)
{
    return open_at(ROOT, path, flags, EVERYTHING, 0);
}

int
write_text(uint32_t fd, const char *text)
{
    uint32_t ret = guest_place(4), size = (uint32_t)strlen(text);
    uint32_t error = wasi_fd_write(fd, guest_iovs(1, guest_string(text), size), 1, ret);

    return error != WASI_OK ? -(int)error : (int)guest_u32(ret);
}

int
read_text(uint32_t fd, char *buffer, uint32_t size)
{
    uint32_t ret = guest_place(4), place = guest_place(size);
    uint32_t error = wasi_fd_read(fd, guest_iovs(1, place, size), 1, ret);

    if (error != WASI_OK)
        return -(int)error;
    memcpy(buffer, guest_memory + place, guest_u32(ret));
    return (int)guest_u32(ret);
}

uint32_t
stat_at(uint32_t fd, const char *path, uint32_t flags, struct wasi_filestat *stat)
{
    uint32_t ret = guest_place(sizeof(*stat));
    uint32_t error =
        wasi_path_filestat_get(fd, flags, guest_string(path), (uint32_t)strlen(path), ret);

    if (error == WASI_OK)
        memcpy(stat, guest_memory + ret, sizeof(*stat));
    return error;
}

uint32_t
stat_path(const char *path, struct wasi_filestat *stat)
{
    return stat_at(ROOT, path, WASI_LOOKUP_FOLLOW, stat);
}

uint32_t
make_dir(const char *path)
{
    return wasi_path_create_directory(ROOT, guest_string(path), (uint32_t)strlen(path));
}

uint32_t
remove_dir(const char *path)
{
    return wasi_path_remove_directory(ROOT, guest_string(path), (uint32_t)strlen(path));
}

uint32_t
unlink_path(const char *path)
{
    return wasi_path_unlink_file(ROOT, guest_string(path), (uint32_t)strlen(path));
}

uint32_t
rename_path(const char *from, const char *to)
{
    return wasi_path_rename(ROOT, guest_string(from), (uint32_t)strlen(from), ROOT,
                            guest_string(to), (uint32_t)strlen(to));
}

uint32_t
link_path(const char *from, const char *to, uint32_t flags)
{
    return wasi_path_link(ROOT, flags, guest_string(from), (uint32_t)strlen(from), ROOT,
                          guest_string(to), (uint32_t)strlen(to));
}

uint32_t
symlink_path(const char *target, const char *path)
{
    return wasi_path_symlink(guest_string(target), (uint32_t)strlen(target), ROOT,
                             guest_string(path), (uint32_t)strlen(path));
}

void
make_file(const char *path, const char *text)
{
    int fd = open_file(path, WASI_OPEN_CREAT | WASI_OPEN_TRUNC);

    assert_true(fd >= 0);
    if (text[0] != '\0')
        assert_int_equal(write_text((uint32_t)fd, text), (int)strlen(text));
    assert_int_equal(wasi_fd_close((uint32_t)fd), WASI_OK);
}

void
assert_file(const char *path, const char *text)
{
    char buffer[1024];
    int fd = open_at(ROOT, path, 0, READ, 0);

    assert_true(fd >= 0);
    int size = read_text((uint32_t)fd, buffer, sizeof(buffer));
    assert_int_equal(size, (int)strlen(text));
    assert_memory_equal(buffer, text, (size_t)size);
    assert_int_equal(wasi_fd_close((uint32_t)fd), WASI_OK);
}
