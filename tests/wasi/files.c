/* Files: reading, writing, seeking, cutting, appending, what open() refuses. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "tests/wasi/outcome.h"

static char buffer[65536];

static void
write_and_read(void)
{
    int fd = open(in("a"), O_RDWR | O_CREAT | O_TRUNC, 0666);

    SHOW(write(fd, "0123456789", 10));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, -3, SEEK_END));
    SHOW(read(fd, buffer, 100));
    printf("%.3s\n", buffer);
    SHOW(read(fd, buffer, 100));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(lseek(fd, -11, SEEK_END));
    SHOW(lseek(fd, 0, 99));
    SHOW(lseek(fd, 20, SEEK_SET));
    SHOW(write(fd, "end", 3));
    SHOW(pread(fd, buffer, 100, 8));
    printf("%d %d %d %c\n", buffer[2], buffer[5], buffer[11], buffer[12]);
    SHOW(pwrite(fd, "XY", 2, 1));
    SHOW(pread(fd, buffer, 4, 0));
    printf("%.4s\n", buffer);
    SHOW(pread(fd, buffer, 4, -1));
    SHOW(ftruncate(fd, 2));
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(ftruncate(fd, 5));
    SHOW(pread(fd, buffer, 100, 0));
    printf("%c %d %d\n", buffer[1], buffer[2], buffer[4]);
    SHOW(ftruncate(fd, -1));
    SHOW(close(fd));
    SHOW(close(fd));
    SHOW(read(fd, buffer, 1));
}

static void
vectors(void)
{
    struct iovec out[3] = {{"ab", 2}, {NULL, 0}, {"cdef", 4}};
    struct iovec back[2] = {{buffer, 1}, {buffer + 100, 50}};
    int fd = open(in("v"), O_RDWR | O_CREAT, 0666);

    SHOW(writev(fd, out, 3));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(readv(fd, back, 2));
    printf("%.1s %.5s\n", buffer, buffer + 100);
    SHOW(close(fd));
}

static void
modes(void)
{
    int fd = open(in("a"), O_RDONLY);

    SHOW(write(fd, "x", 1));
    SHOW(ftruncate(fd, 0) < 0);
    SHOW(close(fd));
    fd = open(in("a"), O_WRONLY);
    SHOW(read(fd, buffer, 1));
    SHOW(close(fd));
    fd = open(in("a"), O_WRONLY | O_APPEND);
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(write(fd, "+", 1));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(close(fd));
    SHOW(open(in("none"), O_RDONLY));
    SHOW(open(in("a"), O_RDWR | O_CREAT | O_EXCL, 0666));
    SHOW(open(in("a/x"), O_RDONLY));
    SHOW(open(in("a/"), O_RDONLY));
    SHOW(open(in("a/"), O_WRONLY | O_CREAT, 0666));
    SHOW(open(in("new/"), O_WRONLY | O_CREAT, 0666));
    SHOW(open(in("none/new"), O_WRONLY | O_CREAT, 0666));
    SHOW(open(in("a"), O_RDONLY | O_DIRECTORY));
    SHOW(open(in("."), O_WRONLY));
    SHOW(open(in("."), O_RDWR));
}

static void
unlinked(void)
{
    struct stat status;
    int fd = open(in("u"), O_RDWR | O_CREAT, 0666);

    SHOW(write(fd, "still here", 10));
    SHOW(unlink(in("u")));
    SHOW(stat(in("u"), &status));
    SHOW(fstat(fd, &status));
    printf("%d links, %d bytes\n", (int)status.st_nlink, (int)status.st_size);
    SHOW(pread(fd, buffer, 100, 0));
    SHOW(close(fd));
}

static void
large(void)
{
    long sum = 0;
    int fd = open(in("large"), O_RDWR | O_CREAT, 0666);

    for (int i = 0; i < 100; i++) {
        memset(buffer, i, sizeof(buffer));
        if (write(fd, buffer, sizeof(buffer)) != sizeof(buffer))
            perror("write");
    }
    for (int i = 0; i < 100; i++) {
        if (pread(fd, buffer, sizeof(buffer), i * (long)sizeof(buffer)) != sizeof(buffer))
            perror("pread");
        sum += buffer[0] + buffer[sizeof(buffer) - 1];
    }
    printf("sum %ld\n", sum);
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(close(fd));
    SHOW(unlink(in("large")));
}

int
main(int argc, char **argv)
{
    directory = argc == 2 ? argv[1] : "/work";
    write_and_read();
    vectors();
    modes();
    unlinked();
    large();
    return 0;
}
