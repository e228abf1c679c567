/*
 * Forty thousand calls on a handful of names, in a fixed sequence of random numbers: Linux gives
 * the same answer to each. Prints a checksum of the answers from time to time; with a third
 * argument "all", every call; a fourth makes another sequence.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/wasi/outcome.h"

#define CALLS 40000

static uint64_t seed = 88172645463325252ull;
static uint64_t checksum;
static int verbose;
static char from[256], to[256];

static unsigned
roll(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

static void
answer(const char *call, long long value)
{
    char text[700];

    snprintf(text, sizeof(text), "%s %s %s: %lld %s", call, from, to, value,
             value < 0 ? errno_name(errno) : "");
    if (verbose)
        printf("%s\n", text);
    for (const char *at = text; *at != '\0'; at++)
        checksum = (checksum ^ (uint8_t)*at) * 1099511628211ull;
}

/* One to three parts; now and then something at the end that asks for a directory. */
static void
make_path(char *path)
{
    static const char *const parts[] = {"a", "b", "c", "d"};
    static const char *const ends[] = {"", "", "", "", "", "", "", "/", "/."};

    path[0] = '\0';
    for (unsigned i = 0, count = 1 + roll(3); i < count; i++) {
        strcat(path, i > 0 ? "/" : "");
        strcat(path, parts[roll(4)]);
        if (i + 1 < count && roll(10) == 0)
            strcat(path, "/.");
    }
    strcat(path, ends[roll(9)]);
}

static void
call_open(void)
{
    static const int flags[] = {O_RDONLY,
                                O_WRONLY,
                                O_RDWR,
                                O_WRONLY | O_CREAT,
                                O_WRONLY | O_CREAT | O_EXCL,
                                O_WRONLY | O_TRUNC,
                                O_RDONLY | O_DIRECTORY,
                                O_RDONLY | O_NOFOLLOW,
                                O_WRONLY | O_APPEND};
    unsigned which = roll(sizeof(flags) / sizeof(flags[0]));
    char buffer[100] = "";

    make_path(from);
    snprintf(to, sizeof(to), "%u", which);
    int fd = open(in(from), flags[which], 0666);
    answer("open", fd < 0 ? -1 : 0);
    if (fd < 0)
        return;
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        answer("size", status.st_size);
        answer("seek", lseek(fd, (off_t)roll(50), SEEK_SET));
        answer("write", write(fd, "0123456789", roll(10)));
        long long got = read(fd, buffer, sizeof(buffer) - 1);
        answer("read", got);
        snprintf(to, sizeof(to), "%s", buffer);
        if (roll(5) == 0)
            answer("truncate", ftruncate(fd, (off_t)roll(60)));
    }
    close(fd);
}

static int
compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void
call_list(void)
{
    char names[8][8];
    size_t count = 0;

    make_path(from);
    DIR *dir = opendir(in(from));
    answer("list", dir == NULL ? -1 : 0);
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL && count < 8;)
        snprintf(names[count++], sizeof(names[0]), "%.7s", entry->d_name);
    closedir(dir);
    qsort(names, count, sizeof(names[0]), compare);
    for (size_t i = 0; i < count; i++)
        answer(names[i], 0);
}

static void
call_stat(int (*function)(const char *, struct stat *), const char *name)
{
    struct stat status;

    make_path(from);
    int result = function(in(from), &status);
    answer(name, result);
    if (result == 0)
        answer("kind", status.st_mode & S_IFMT);
    if (result == 0 && !S_ISDIR(status.st_mode)) {
        answer("size", status.st_size);
        answer("links", (long long)status.st_nlink);
    }
}

static void
call_one(void)
{
    char buffer[256];

    from[0] = to[0] = '\0';
    switch (roll(14)) {
    case 0:
        make_path(from);
        answer("mkdir", mkdir(in(from), 0777));
        break;
    case 1:
        make_path(from);
        answer("rmdir", rmdir(in(from)));
        break;
    case 2:
        make_path(from);
        answer("unlink", unlink(in(from)));
        break;
    case 3:
    case 4:
        make_path(from);
        make_path(to);
        answer("rename", rename(in(from), in(to)));
        break;
    case 5:
        make_path(from);
        make_path(to);
        answer("link", link(in(from), in(to)));
        break;
    case 6:
        make_path(from);
        make_path(to);
        answer("symlink", symlink(from, in(to)));
        break;
    case 7:
        make_path(from);
        answer("readlink", readlink(in(from), buffer, sizeof(buffer)));
        break;
    case 8:
        call_stat(stat, "stat");
        break;
    case 9:
        call_stat(lstat, "lstat");
        break;
    case 10:
        call_list();
        break;
    default:
        call_open();
        break;
    }
}

int
main(int argc, char **argv)
{
    directory = argc == 2 || argc > 3 ? argv[1] : "/work";
    verbose = argc > 3;
    if (argc > 4)
        seed ^= strtoull(argv[4], NULL, 0);
    for (int i = 1; i <= CALLS; i++) {
        call_one();
        if (i % 1000 == 0)
            printf("%d calls: %016llx\n", i, (unsigned long long)checksum);
    }
    return 0;
}
