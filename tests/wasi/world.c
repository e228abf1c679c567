/* What only the guest's world has: a read-only image, devices, the root, the standard streams. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/wasi/outcome.h"

static struct stat status;
static char buffer[256];

static void
image(void)
{
    int fd = open("/usr/share/greeting", O_RDONLY);

    SHOW(read(fd, buffer, sizeof(buffer)));
    printf("%.6s\n", buffer);
    SHOW(fstat(fd, &status));
    printf("%d bytes\n", (int)status.st_size);
    SHOW(open("/usr/share/greeting", O_RDWR));
    SHOW(open("/usr/share/greeting", O_RDONLY | O_TRUNC));
    SHOW(open("/usr/share/new", O_WRONLY | O_CREAT, 0666));
    SHOW(open("/new", O_WRONLY | O_CREAT, 0666));
    SHOW(unlink("/usr/share/greeting"));
    SHOW(mkdir("/usr/new", 0777));
    SHOW(rename("/usr/share/greeting", "/work/g"));
    SHOW(rename("/work", "/worked"));
    SHOW(rmdir("/tmp"));
    SHOW(stat("/usr/link", &status));
    SHOW(stat("/etc/passwd", &status));
    SHOW(stat("/proc/self/maps", &status));
    SHOW(stat("/../../../etc/passwd", &status));
    SHOW(stat("/..", &status));
}

static void
devices(void)
{
    int fd = open("/dev/null", O_RDWR);

    SHOW(write(fd, "gone", 4));
    SHOW(read(fd, buffer, 1));
    SHOW(fstat(fd, &status));
    SHOW(S_ISCHR(status.st_mode));
    SHOW(isatty(fd));
    SHOW(open("/dev/job", O_RDONLY));
    fd = open("/dev/urandom", O_RDONLY);
    SHOW(read(fd, buffer, 16));
}

static void
streams(void)
{
    SHOW(isatty(0));
    SHOW(isatty(1));
    SHOW(lseek(1, 0, SEEK_CUR));
    SHOW(read(0, buffer, 5));
    printf("%.4s\n", buffer);
    SHOW(lseek(0, 0, SEEK_SET));
    SHOW(read(0, buffer, sizeof(buffer)));
    SHOW(read(0, buffer, 1));
    SHOW(write(0, "x", 1));
    SHOW(fstat(0, &status));
    SHOW(S_ISREG(status.st_mode));
    SHOW(close(0));
    SHOW(open("/dev/null", O_RDONLY));
}

static void
absolute_links(void)
{
    SHOW(symlink("/usr/share", "/work/share"));
    SHOW(stat("/work/share/greeting", &status));
    SHOW(symlink("../../../../usr/share/greeting", "/work/up"));
    SHOW(stat("/work/up", &status));
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        printf("argument %d: %s\n", i, argv[i]);
    image();
    devices();
    streams();
    absolute_links();
    fprintf(stderr, "to standard error\n");
    exit(7);
}
