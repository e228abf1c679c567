/*
 * A guest that has a way out (tests/escape/door.h). As an image of the "python" language it is
 * given programs by the worker like any other: they are scripts of attacks (script.h).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/escape/guest/operations.h"
#include "tests/escape/guest/script.h"

#define PROGRAM_MAX   (64u << 10)
/* What /readyz runs: all of Python that this guest knows. */
#define PROBE         "print('ready')\n"
#define PROBE_OUTPUT  "ready\n"
#define EXIT_NO_INPUT 90
#define EXIT_BAD_LINE 91

static char program[PROGRAM_MAX];

static void
read_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY);
    size_t used = 0;
    ssize_t got = 0;

    while (fd >= 0 && used < size - 1 && (got = read(fd, text + used, size - 1 - used)) > 0)
        used += (size_t)got;
    if (fd < 0 || got < 0)
        _exit(EXIT_NO_INPUT);
    close(fd);
    text[used] = '\0';
}

static void
run(char *text)
{
    int line = script_run(text);

    if (line == 0)
        return;
    say("line %d is none\n", line);
    _exit(EXIT_BAD_LINE);
}

int
main(void)
{
    static char arguments[4096];
    char *at_boot = getenv("ESCAPE_AT_BOOT");

    /* In the zygote. */
    if (at_boot != NULL)
        run(at_boot);
    /* From here on in a job process. */
    read_file("/dev/job", arguments, sizeof(arguments));
    read_file("/work/main.py", program, sizeof(program));
    if (strcmp(program, PROBE) == 0)
        say(PROBE_OUTPUT);
    else
        run(program);
    return 0;
}
