/*
 * spawn AT_ONCE TOTAL COMMAND [ARG]...: starts COMMAND TOTAL times, AT_ONCE of them at a time, and
 * prints how long each took from its start to its end. AT_ONCE equal to TOTAL is a burst: then all
 * count from the start of the first.
 *
 * The cheapest parent that there can be (posix_spawn, output to /dev/null), so that the figures
 * are those of the processes.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/samples.h"

struct child {
    pid_t pid; /* 0: free */
    uint64_t began_us;
};

struct run {
    struct samples samples;
    struct child *children;
    size_t at_once, total, started;
    uint64_t cpu_us, minor_faults;
    posix_spawn_file_actions_t actions;
};

extern char **environ;

static uint64_t
time_us(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void
start_one(struct run *run, struct child *child, char **command)
{
    child->began_us = run->at_once == run->total ? run->samples.began_us : samples_clock_us();
    if (posix_spawn(&child->pid, command[0], &run->actions, NULL, command, environ) != 0) {
        perror(command[0]);
        exit(1);
    }
    run->started++;
}

static struct child *
wait_one(struct run *run)
{
    int status;
    struct rusage usage;
    pid_t pid = wait4(-1, &status, 0, &usage);
    for (size_t i = 0; i < run->at_once; i++) {
        struct child *child = &run->children[i];
        if (child->pid != pid)
            continue;
        samples_add(&run->samples, samples_clock_us() - child->began_us);
        run->samples.errors += status != 0;
        run->cpu_us += time_us(usage.ru_utime) + time_us(usage.ru_stime);
        run->minor_faults += (uint64_t)usage.ru_minflt;
        child->pid = 0;
        return child;
    }
    fprintf(stderr, "spawn: wait4 gave a child that is not ours\n");
    exit(1);
}

static void
print_run(struct run *run)
{
    char extra[160];
    snprintf(extra, sizeof(extra), ",\"cpu_us_each\":%.1f,\"minor_faults_each\":%.1f",
             (double)run->cpu_us / (double)run->total,
             (double)run->minor_faults / (double)run->total);
    samples_print(&run->samples, extra);
}

int
main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: spawn AT_ONCE TOTAL COMMAND [ARG]...\n");
        return 2;
    }
    struct run run = {.at_once = strtoul(argv[1], NULL, 10), .total = strtoul(argv[2], NULL, 10)};
    run.children = calloc(run.at_once, sizeof(*run.children));
    if (!run.children || posix_spawn_file_actions_init(&run.actions) != 0)
        return 1;
    posix_spawn_file_actions_addopen(&run.actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    samples_init(&run.samples, run.total);
    for (size_t i = 0; i < run.at_once && run.started < run.total; i++)
        start_one(&run, &run.children[i], argv + 3);
    while (run.samples.count < run.total) {
        struct child *child = wait_one(&run);
        if (run.started < run.total)
            start_one(&run, child, argv + 3);
    }
    print_run(&run);
    posix_spawn_file_actions_destroy(&run.actions);
    samples_fini(&run.samples);
    free(run.children);
    return 0;
}
