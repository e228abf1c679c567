/* rootfs: none */
/* run: --dir tests/wasi/given::/ --env A=text --env=B= */
/* run: --dir tests/wasi/given::given --dir=tests/wasi/given/deep::/other/deep --env B=b=c */
/* run: --dir tests/wasi/given::. */
/* run: */
/*
 * What a module finds that starts with its job, and that it may change what it was given: a host's
 * files are there to be overwritten, renamed and removed, in the copy.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/wasi/preview1.h"

extern char **environ;

static int
compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void
list(const char *path)
{
    static uint8_t buffer[4096];
    char names[32][32];
    int fd = open_in(path, DIRECTORY, READ), count = 0;

    host_fd_readdir((uint32_t)fd, AT(buffer), sizeof(buffer), 0, AT(&ret));
    for (uint32_t at = 0; at + 24 < ret && count < 32;) {
        __wasi_dirent_t entry;
        memcpy(&entry, buffer + at, sizeof(entry));
        snprintf(names[count++], 32, "%.*s%s", (int)entry.d_namlen, (char *)buffer + at + 24,
                 entry.d_type == __WASI_FILETYPE_DIRECTORY ? "/" : "");
        at += 24 + entry.d_namlen;
    }
    host_fd_close((uint32_t)fd);
    qsort(names, (size_t)count, sizeof(names[0]), compare);
    printf("%s:", path);
    for (int i = 0; i < count; i++)
        printf(" %s", names[i]);
    printf("\n");
}

#define SHOW(call) printf("%s: %d\n", #call, (int)(call))

static void
change_what_was_given(void)
{
    static char text[64];
    int fd = open_in("numbers", 0, READ | WRITE);

    SHOW(holds("file", "from the host\n"));
    SHOW(read_bytes((uint32_t)fd, text, 4));
    SHOW(write_text((uint32_t)fd, "new"));
    SHOW(host_fd_close((uint32_t)fd));
    SHOW(holds("numbers", "0123new7"));
    SHOW(stat_at("numbers", 0));
    TRUE(stat.mtim > 1700000000000000000ull && stat.ino != 0 && stat.nlink == 1);
    SHOW(make_file("made", "made"));
    SHOW(rename_to("made", "file"));
    SHOW(holds("file", "made"));
    SHOW(rename_to("numbers", "deep/moved"));
    SHOW(link_to("deep/below", "linked", 0));
    SHOW(unlink_file("deep/below"));
    SHOW(holds("linked", "below\n"));
    SHOW(rename_to("deep", "deeper"));
    SHOW(remove_dir("deeper"));
    SHOW(unlink_file("empty/.keep"));
    SHOW(remove_dir("empty"));
    SHOW(symlink_to("deeper/moved", "link"));
    SHOW(stat_at("link", FOLLOW));
    SHOW(stat_at("..", 0));
    list(".");
    list("deeper");
}

int
main(int argc, char **argv)
{
    __wasi_prestat_t prestat;
    char name[100];

    printf("%d arguments, the last %s\n", argc, argv[argc - 1]);
    for (char **variable = environ; *variable != NULL; variable++)
        printf("%s\n", *variable);
    dir = 3;
    for (uint32_t fd = 3; host_fd_prestat_get(fd, AT(&prestat)) == 0; fd++) {
        host_fd_prestat_dir_name(fd, AT(name), sizeof(name));
        printf("%u is \"%.*s\"\n", (unsigned)fd, (int)prestat.u.dir.pr_name_len, name);
        dir = fd;
        list(".");
    }
    /* As wasi-libc says that there is no directory that this could be in. */
    if (access("given/file", R_OK) != 0)
        printf("given/file: %s\n", errno == ENOTCAPABLE ? "not capable" : "not there");
    dir = 3;
    if (stat_at("numbers", 0) == 0)
        change_what_was_given();
    SHOW(host_sock_shutdown(3, 1));
    if (failure != NULL)
        printf("not ok: line %d: %s\n", failure_line, failure);
    return 0;
}
