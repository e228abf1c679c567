#include "worker/run/input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP_BYTES 65536u
#define DEPTH_MAX       64

void
run_input_init(struct run_input *input)
{
    *input = (struct run_input){.records = NULL};
}

void
run_input_fini(struct run_input *input)
{
    for (size_t i = 0; i < input->count; i++) {
        free((void *)(uintptr_t)input->records[i].name);
        free((void *)(uintptr_t)input->records[i].data);
    }
    free(input->records);
    run_input_init(input);
}

static int
too_large(struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, 0,
                   "the program, its input and its files together exceed %u bytes",
                   RUN_INPUT_MAX_BYTES);
}

/* Takes data, also when it fails; copies name. */
static int
add_owned(struct run_input *input, enum job_record_type type, const char *name, struct bytes *data,
          struct err *err)
{
    size_t needed = job_record_bytes(name != NULL ? strlen(name) : 0, data->size);
    char *own_name = name != NULL ? strdup(name) : NULL;
    int result = -1;

    if (needed > RUN_INPUT_MAX_BYTES - input->bytes) {
        too_large(err);
        goto out;
    }
    if (input->count == input->capacity) {
        size_t capacity = input->capacity * 2 + 16;
        void *longer = realloc(input->records, capacity * sizeof(*input->records));
        if (longer == NULL) {
            err_set(err, ERR_SYSTEM, ENOMEM, "cannot keep the input");
            goto out;
        }
        input->records = longer;
        input->capacity = capacity;
    }
    if (name != NULL && own_name == NULL) {
        err_set(err, ERR_SYSTEM, ENOMEM, "cannot keep the input");
        goto out;
    }
    input->records[input->count++] = (struct execution_record){
        .type = type, .name = own_name, .data = data->data, .size = data->size};
    input->bytes += needed;
    result = 0;
out:
    if (result < 0) {
        free(own_name);
        bytes_fini(data);
    }
    return result;
}

int
run_input_add(struct run_input *input, enum job_record_type type, const char *name,
              const void *data, size_t size, struct err *err)
{
    struct bytes copy = {.data = NULL};

    if (bytes_copy(&copy, data, size) < 0)
        return err_set(err, ERR_SYSTEM, ENOMEM, "cannot keep the input");
    return add_owned(input, type, name, &copy, err);
}

/* Reads fd to its end, up to the maximum. */
static int
read_all(int fd, struct bytes *out, struct err *err)
{
    *out = (struct bytes){.data = NULL};
    for (;;) {
        if (out->size > RUN_INPUT_MAX_BYTES)
            return too_large(err);
        char *longer = realloc(out->data, out->size + READ_STEP_BYTES + out->size / 2);
        if (longer == NULL)
            return err_set(err, ERR_SYSTEM, ENOMEM, "cannot keep the input");
        out->data = longer;
        ssize_t got = read(fd, out->data + out->size, READ_STEP_BYTES + out->size / 2);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_INVALID, errno, "cannot read");
        if (got == 0)
            return 0;
        out->size += (size_t)got;
    }
}

static int
add_fd(struct run_input *input, enum job_record_type type, const char *name, int fd,
       struct err *err)
{
    struct bytes data;

    if (read_all(fd, &data, err) < 0) {
        bytes_fini(&data);
        return -1;
    }
    return add_owned(input, type, name, &data, err);
}

int
run_input_add_file(struct run_input *input, enum job_record_type type, const char *name,
                   const char *path, struct err *err)
{
    if (strcmp(path, "-") == 0)
        return add_fd(input, type, name, STDIN_FILENO, err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_INVALID, errno, "cannot open %s", path);
    int result = add_fd(input, type, name, fd, err);
    if (result < 0)
        err_wrap(err, "%s", path);
    close(fd);
    return result;
}

static char *
join_path(const char *directory, const char *name)
{
    char *path;
    const char *separator = strcmp(directory, "/") == 0 ? "" : "/";

    return asprintf(&path, "%s%s%s", directory, separator, name) < 0 ? NULL : path;
}

static int add_entries(struct run_input *input, int directory_fd, const char *guest, int depth,
                       struct err *err);

/* One entry of a directory. O_NONBLOCK: a FIFO must not hang the open. */
static int
add_entry(struct run_input *input, int parent_fd, const char *name, const char *guest, int depth,
          struct err *err)
{
    struct stat status;
    int result = 0;

    int fd = openat(parent_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    /* ELOOP: a symbolic link; ENXIO: a socket. */
    if (fd < 0 && (errno == ELOOP || errno == ENXIO))
        return 0;
    if (fd < 0 || fstat(fd, &status) < 0) {
        result = err_set(err, ERR_INVALID, errno, "cannot open %s", guest);
    } else if (S_ISDIR(status.st_mode)) {
        return add_entries(input, fd, guest, depth + 1, err);
    } else if (S_ISREG(status.st_mode)) {
        result = add_fd(input, JOB_RECORD_FILE, guest, fd, err);
    }
    if (fd >= 0)
        close(fd);
    return result;
}

/* Takes directory_fd. */
static int
add_entries(struct run_input *input, int directory_fd, const char *guest, int depth,
            struct err *err)
{
    const struct dirent *entry;
    int result;

    DIR *directory = fdopendir(directory_fd);
    if (directory == NULL || depth > DEPTH_MAX) {
        result = err_set(err, ERR_INVALID, directory == NULL ? errno : 0, "%s is too deep", guest);
        if (directory == NULL)
            close(directory_fd);
        else
            closedir(directory);
        return result;
    }
    /* What was asked for by --dir, a module finds open. */
    const char *preopen = depth == 0 ? guest : "";
    result = run_input_add(input, JOB_RECORD_DIR, guest, preopen, strlen(preopen), err);
    while (result == 0 && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *path = join_path(guest, entry->d_name);
        result = path != NULL ? add_entry(input, directory_fd, entry->d_name, path, depth, err)
                              : err_set(err, ERR_SYSTEM, ENOMEM, "cannot keep the input");
        free(path);
    }
    closedir(directory);
    return result;
}

int
run_input_add_directory(struct run_input *input, const char *path, const char *guest,
                        struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, ERR_INVALID, errno, "cannot open %s", path);
    return add_entries(input, fd, guest, 0, err);
}
