/* Names: directories, links, renaming, removing. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/wasi/outcome.h"

static struct stat status;

static void
make(const char *name)
{
    int fd = open(in(name), O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (fd < 0 || write(fd, name, strlen(name)) < 0 || close(fd) < 0)
        perror(name);
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
list(const char *name)
{
    char *names[300];
    size_t count = 0;
    DIR *dir = opendir(in(name));

    if (dir == NULL) {
        printf("%s: %s\n", name, errno_name(errno));
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL && count < 300;)
        names[count++] = strdup(entry->d_name);
    closedir(dir);
    qsort(names, count, sizeof(names[0]), compare);
    printf("%s:", name);
    for (size_t i = 0; i < count; i++)
        printf(" %s", names[i]);
    printf("\n");
}

static void
directories(void)
{
    SHOW(mkdir(in("d"), 0777));
    SHOW(mkdir(in("d"), 0777));
    SHOW(mkdir(in("d/e/"), 0777));
    SHOW(mkdir(in("x/y"), 0777));
    SHOW(mkdir(in("."), 0777));
    SHOW(rmdir(in("d")));
    SHOW(rmdir(in("d/e/.")));
    SHOW(unlink(in("d/e")));
    make("d/file");
    SHOW(rmdir(in("d/file")));
    SHOW(unlink(in("d/file/")));
    SHOW(mkdir(in("d/file/"), 0777));
    SHOW(opendir(in("d/file")) == NULL);
    list("d");
    SHOW(rmdir(in("d/e/")));
    list("d");
    SHOW(stat(in("d/../d/./file"), &status));
    SHOW(stat(in("d/file/."), &status));
    SHOW(stat(in("d/file/.."), &status));
    SHOW(stat(in("none/.."), &status));
}

static void
many(void)
{
    char name[64];

    SHOW(mkdir(in("many"), 0777));
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "many/a-rather-long-name-%03d", i);
        make(name);
    }
    list("many");
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "many/a-rather-long-name-%03d", i);
        if (unlink(in(name)) < 0)
            perror(name);
    }
    list("many");
    SHOW(rmdir(in("many")));
}

static void
links(void)
{
    char target[64] = "";

    SHOW(symlink("d", in("l")));
    SHOW(symlink("d", in("l")));
    SHOW(readlink(in("l"), target, sizeof(target)));
    printf("%s\n", target);
    SHOW(readlink(in("d"), target, sizeof(target)));
    SHOW(lstat(in("l"), &status));
    SHOW(S_ISLNK(status.st_mode));
    SHOW(stat(in("l"), &status));
    SHOW(S_ISDIR(status.st_mode));
    SHOW(lstat(in("l/"), &status));
    SHOW(S_ISDIR(status.st_mode));
    SHOW(stat(in("l/file"), &status));
    SHOW(symlink("loop", in("loop")));
    SHOW(stat(in("loop"), &status));
    SHOW(open(in("loop"), O_RDONLY));
    SHOW(open(in("l"), O_RDONLY | O_NOFOLLOW));
    SHOW(symlink("made", in("dangling")));
    SHOW(open(in("dangling"), O_WRONLY | O_CREAT | O_EXCL, 0666));
    make("dangling");
    SHOW(lstat(in("made"), &status));
    SHOW(rmdir(in("l")));
    SHOW(rmdir(in("l/")));
    SHOW(unlink(in("l/")));
    SHOW(symlink("", in("empty")));
    SHOW(symlink("x", in("slash/")));
    SHOW(unlink(in("l")));
    SHOW(link(in("made"), in("hard")));
    SHOW(stat(in("hard"), &status));
    printf("%d links\n", (int)status.st_nlink);
    SHOW(link(in("made"), in("hard")));
    SHOW(link(in("d"), in("hard-d")));
    SHOW(link(in("none"), in("hard-n")));
    SHOW(unlink(in("made")));
    SHOW(unlink(in("hard")));
    SHOW(unlink(in("hard")));
}

static void
renames(void)
{
    make("f");
    make("g");
    SHOW(mkdir(in("e1"), 0777));
    SHOW(mkdir(in("e2"), 0777));
    SHOW(rename(in("f"), in("f")));
    SHOW(rename(in("f"), in("g")));
    SHOW(stat(in("f"), &status));
    SHOW(rename(in("none"), in("g")));
    SHOW(rename(in("g"), in("none/g")));
    SHOW(rename(in("g"), in("e1")));
    SHOW(rename(in("e1"), in("g")));
    SHOW(rename(in("e1"), in("d")));
    SHOW(rename(in("d"), in("d/inside")));
    SHOW(rename(in("d"), in("d/file/inside")));
    SHOW(rename(in("e1"), in("e2")));
    SHOW(rename(in("g/"), in("h")));
    SHOW(rename(in("g"), in("h/")));
    SHOW(rename(in("e2/"), in("e3/")));
    SHOW(rename(in("g"), in("e3/g")));
    SHOW(rename(in("d/file"), in("e3/g")));
    list("e3");
    list("d");
    list(".");
}

int
main(int argc, char **argv)
{
    directory = argc == 2 ? argv[1] : "/work";
    (void)rmdir(in("outputs")); /* which only the sandbox has */
    directories();
    many();
    links();
    renames();
    return 0;
}
