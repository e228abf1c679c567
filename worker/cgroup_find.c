#include "worker/cgroup_find.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FIELD_ROOT        3 /* of a line of mountinfo, from 0 */
#define FIELD_MOUNT_POINT 4
#define FIELD_OPTIONAL    6 /* the first of any number of them, which "-" ends */
#define REMOVED           " (deleted)"

/* Part of a text; not NUL-terminated. */
struct span {
    const char *data;
    size_t size;
};

/* Cuts the text up to separator, or all of it, from the front of rest. */
static struct span
take(struct span *rest, char separator)
{
    const char *end = memchr(rest->data, separator, rest->size);
    struct span taken = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    size_t used = taken.size + (end ? 1 : 0);

    rest->data += used;
    rest->size -= used;
    return taken;
}

static bool
is(struct span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.data, text, span.size) == 0;
}

static bool
starts_with(struct span span, const char *text)
{
    return span.size >= strlen(text) && memcmp(span.data, text, strlen(text)) == 0;
}

static bool
ends_with(struct span span, const char *text)
{
    size_t size = strlen(text);

    return span.size >= size && memcmp(span.data + span.size - size, text, size) == 0;
}

/* ---- mountinfo ---- */

static int
octal_digit(char c)
{
    return c >= '0' && c <= '7' ? c - '0' : -1;
}

/* The kernel writes blanks and backslashes of paths as \ooo. -1: too long. */
static int
unescape(struct span span, char path[CGROUP_PATH_SIZE])
{
    size_t used = 0;

    for (size_t i = 0; i < span.size; i++) {
        char c = span.data[i];
        if (c == '\\' && i + 3 < span.size && octal_digit(span.data[i + 1]) >= 0 &&
            octal_digit(span.data[i + 2]) >= 0 && octal_digit(span.data[i + 3]) >= 0) {
            c = (char)(octal_digit(span.data[i + 1]) << 6 | octal_digit(span.data[i + 2]) << 3 |
                       octal_digit(span.data[i + 3]));
            i += 3;
        }
        if (used + 1 >= CGROUP_PATH_SIZE)
            return -1;
        path[used++] = c;
    }
    path[used] = '\0';
    return 0;
}

/* Root and mount point of a line, when it is one of a cgroup2 file system. */
static bool
parse_mount(struct span line, struct span *root, struct span *mount_point)
{
    for (int field = 0; line.size > 0; field++) {
        struct span word = take(&line, ' ');
        if (field == FIELD_ROOT)
            *root = word;
        else if (field == FIELD_MOUNT_POINT)
            *mount_point = word;
        else if (field >= FIELD_OPTIONAL && is(word, "-"))
            return is(take(&line, ' '), "cgroup2");
    }
    return false;
}

/* The rest of path below root: "" or "/..."; NULL: it is not there. */
static const char *
below(const char *path, const char *root)
{
    size_t size = strcmp(root, "/") == 0 ? 0 : strlen(root);

    if (strncmp(path, root, size) != 0)
        return NULL;
    if (strcmp(path + size, "/") == 0)
        return "";
    return path[size] == '\0' || path[size] == '/' ? path + size : NULL;
}

/* 1: found, 0: not in this mount, -1: too long. */
static int
map(const char *group, struct span root, struct span mount_point, char path[CGROUP_PATH_SIZE])
{
    char text[CGROUP_PATH_SIZE];

    if (unescape(root, text) < 0)
        return 0;
    const char *rest = below(group, text);
    if (!rest)
        return 0;
    if (unescape(mount_point, text) < 0)
        return -1;
    int length = snprintf(path, CGROUP_PATH_SIZE, "%s%s", text, rest);
    return length >= 0 && length < CGROUP_PATH_SIZE ? 1 : -1;
}

/* ---- both ---- */

/* The path of version 2's line. */
static int
own_group(const char *membership, char group[CGROUP_PATH_SIZE], struct err *err)
{
    struct span rest = {membership, strlen(membership)};

    while (rest.size > 0) {
        struct span line = take(&rest, '\n');
        if (!starts_with(line, "0::/"))
            continue;
        if (ends_with(line, REMOVED))
            return err_set(err, ERR_SYSTEM, 0, "its control group has been removed");
        if (starts_with(line, "0::/../") || is(line, "0::/.."))
            return err_set(err, ERR_SYSTEM, 0, "its control group is outside of its namespace");
        if (line.size - 3 >= CGROUP_PATH_SIZE)
            return err_set(err, ERR_SYSTEM, 0, "the path of its control group is too long");
        memcpy(group, line.data + 3, line.size - 3);
        group[line.size - 3] = '\0';
        return 0;
    }
    return err_set(err, ERR_SYSTEM, 0, "this kernel runs control groups of version 1 only");
}

int
cgroup_find(const char *membership, const char *mounts, char path[CGROUP_PATH_SIZE],
            struct err *err)
{
    struct span rest = {mounts, strlen(mounts)};
    struct span root = {"", 0}, mount_point = {"", 0};
    char group[CGROUP_PATH_SIZE];
    bool mounted = false;
    int found = 0;

    if (own_group(membership, group, err) < 0)
        return -1;
    /* The last one that has it: it may lie over another. */
    while (rest.size > 0) {
        if (!parse_mount(take(&rest, '\n'), &root, &mount_point))
            continue;
        mounted = true;
        int result = map(group, root, mount_point, path);
        found = result != 0 ? result : found;
    }
    if (found > 0)
        return 0;
    if (found < 0)
        return err_set(err, ERR_SYSTEM, 0, "the path of its control group is too long");
    return err_set(err, ERR_SYSTEM, 0, "%s",
                   mounted ? "its control group is in no cgroup2 file system mounted here"
                           : "no cgroup2 file system is mounted (control groups of version 1?)");
}
