/*
 * Each part of a name is opened on its own, below the descriptor of the one before, and never
 * through a link: whatever the name says, and whoever changes the directory meanwhile, what is
 * written lies below the directory that was given.
 */
#include "worker/run/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file_name.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int
run_outputs_open(const char *path, struct err *err)
{
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return err_set(err, ERR_INVALID, errno, "--outputs: cannot make %s", path);
    /* A link in its own place is the caller's choice. */
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_INVALID, errno, "--outputs: cannot open %s", path);
    return fd;
}

/* The directory of the name's last part, and that part. -1: errno. */
static int
open_parent(int directory_fd, const char *name, const char **last)
{
    int fd = fcntl(directory_fd, F_DUPFD_CLOEXEC, 3);

    for (const char *slash; fd >= 0 && (slash = strchr(name, '/')) != NULL; name = slash + 1) {
        char part[FILE_NAME_PART_BYTES + 1];
        memcpy(part, name, (size_t)(slash - name));
        part[slash - name] = '\0';
        int next =
            mkdirat(fd, part, 0777) < 0 && errno != EEXIST ? -1 : openat(fd, part, DIRECTORY_FLAGS);
        int code = errno;
        close(fd);
        errno = code;
        fd = next;
    }
    *last = name;
    return fd;
}

static int
write_all(int fd, const struct bytes *data)
{
    for (size_t done = 0; done < data->size;) {
        ssize_t written = write(fd, data->data + done, data->size - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        done += (size_t)written;
    }
    return 0;
}

static int
write_one(int directory_fd, const struct artifact *artifact)
{
    const char *last;
    int parent = open_parent(directory_fd, artifact->name.data, &last);

    if (parent < 0)
        return -1;
    int fd = openat(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    int result = fd < 0 ? -1 : write_all(fd, &artifact->data);
    if (fd >= 0 && close(fd) < 0)
        result = -1;
    int code = errno;
    /* A part of it would pass for the whole. */
    if (fd >= 0 && result < 0)
        (void)unlinkat(parent, last, 0);
    close(parent);
    errno = code;
    return result;
}

/* A terminal would obey some of what a refused name may hold. */
static void
print_name(const struct bytes *name, FILE *log)
{
    for (size_t i = 0; i < name->size; i++) {
        unsigned char c = (unsigned char)name->data[i];
        fputc(c < 0x20 || c == 0x7f ? '?' : c, log);
    }
}

static void
report_refused(const struct artifacts *artifacts, FILE *log)
{
    for (size_t i = 0; i < artifacts->refused_count; i++) {
        const struct artifact_refused *refused = &artifacts->refused[i];
        fputs("retort-run: outputs/", log);
        print_name(&refused->name, log);
        fprintf(log, " (%" PRIu64 " bytes) was left out: %s\n", refused->size,
                artifact_fault_text(refused->fault));
    }
    if (artifacts->refused_total > artifacts->refused_count)
        fprintf(log, "retort-run: %" PRIu64 " more outputs were left out\n",
                artifacts->refused_total - artifacts->refused_count);
}

int
run_outputs_write(int directory_fd, const struct artifacts *artifacts, FILE *log)
{
    int result = 0;

    for (size_t i = 0; i < artifacts->count; i++) {
        if (write_one(directory_fd, &artifacts->list[i]) == 0)
            continue;
        fprintf(log, "retort-run: outputs/%s was not written: %s\n", artifacts->list[i].name.data,
                strerror(errno));
        result = -1;
    }
    report_refused(artifacts, log);
    return result;
}
