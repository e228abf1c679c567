#include "worker/id_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "worker/kernel_file.h"

#define PATH_SIZE 64
#define LINE_SIZE 64

static int
write_file(pid_t pid, const char *name, const char *text)
{
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return kernel_file_write(AT_FDCWD, path, text);
}

static int
write_map(pid_t pid, const char *name, uint32_t inside, uint32_t outside)
{
    char line[LINE_SIZE];

    (void)snprintf(line, sizeof(line), "%u %u 1", inside, outside);
    return write_file(pid, name, line);
}

/* Without that capability over the parent namespace only our own id can be given away. */
static int
write_pair(pid_t pid, const char *name, uint32_t id, uint32_t own)
{
    if (write_map(pid, name, id, id) == 0)
        return 0;
    return errno == EPERM ? write_map(pid, name, id, own) : -1;
}

int
id_maps_write(pid_t pid, uint32_t uid, bool groups_dropped, struct err *err)
{
    if (groups_dropped && write_file(pid, "setgroups", "deny") < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot forbid setgroups");
    if (write_pair(pid, "uid_map", uid, geteuid()) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot write a uid_map");
    if (write_map(pid, "gid_map", uid, uid) == 0)
        return 0;
    /* Our own group, and then the kernel wants setgroups to be forbidden. */
    if (write_file(pid, "setgroups", "deny") < 0 || write_map(pid, "gid_map", uid, getegid()) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot write a gid_map");
    return 0;
}
