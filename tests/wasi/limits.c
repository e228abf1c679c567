/* The host's limits: descriptors, links in a row, names, bytes. What is over one is given back. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/wasi/outcome.h"

static struct stat status;

static void
descriptors(void)
{
    int fd, count = 0;

    while ((fd = open("/dev/null", O_RDONLY)) >= 0)
        count++;
    printf("%d descriptors, then %s\n", count, errno_name(errno));
    for (fd = 4; fd < 256; fd++)
        close(fd);
    SHOW(open("/dev/null", O_RDONLY));
    SHOW(close(4));
}

static void
links(void)
{
    char name[32], target[32] = "/dev/null";
    int i;

    for (i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "/tmp/l%d", i);
        symlink(target, name);
        if (stat(name, &status) < 0)
            break;
        snprintf(target, sizeof(target), "l%d", i);
    }
    printf("%d links, then %s\n", i, errno_name(errno));
}

static void
lengths(void)
{
    static char name[6000] = "/tmp/";

    memset(name + 5, 'n', 255);
    SHOW(mkdir(name, 0777));
    name[5 + 255] = 'n';
    SHOW(mkdir(name, 0777));
    memset(name + 5, '/', 5000);
    SHOW(stat(name, &status));
    name[4000] = '\0';
    SHOW(stat(name, &status));
}

static void
bytes(void)
{
    static char block[1 << 20];
    long long first = 0, second = 0;
    ssize_t put;

    memset(block, 'b', sizeof(block));
    int fd = open("/work/full", O_WRONLY | O_CREAT, 0666);
    while ((put = write(fd, block, sizeof(block))) > 0)
        first += put;
    printf("%s\n", errno_name(errno));
    SHOW(write(fd, block, 1));
    SHOW(ftruncate(fd, 0));
    SHOW(lseek(fd, 0, SEEK_SET));
    while ((put = write(fd, block, sizeof(block))) > 0)
        second += put;
    SHOW(first == second);
    SHOW(close(fd));
    SHOW(unlink("/work/full"));
}

static void
names(void)
{
    char name[32];
    int first = 0, second = 0;

    for (int *count = &first;; count = &second) {
        for (;; ++*count) {
            snprintf(name, sizeof(name), "/work/%d", *count);
            if (mkdir(name, 0777) < 0)
                break;
        }
        printf("%s\n", errno_name(errno));
        for (int i = 0; i < *count; i++) {
            snprintf(name, sizeof(name), "/work/%d", i);
            rmdir(name);
        }
        if (count == &second)
            break;
    }
    SHOW(first == second);
}

int
main(void)
{
    descriptors();
    links();
    lengths();
    bytes();
    names();
    return 0;
}
