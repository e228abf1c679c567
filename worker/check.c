/*
 * Nothing is believed here that the sandbox says of itself: a job process is started as for any
 * job, and looked at in /proc.
 */
#include "worker/check.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "worker/engine_choice.h"
#include "worker/executor.h"

#define SETTLE_ROUNDS   200 /* of 10 ms: a job process locks itself down within a millisecond */
#define STATUS_MAX      8192
#define JOB_INPUT_BYTES 4096

struct subject {
    pid_t pid;
    char status[STATUS_MAX]; /* /proc/PID/status */
    char limits[STATUS_MAX]; /* /proc/PID/limits */
};

enum layer_state { LAYER_OFF, LAYER_ON, LAYER_UNKNOWN };

struct finding {
    enum layer_state state;
    char why[160];
};

/* ---- finding a job process ---- */

static int
read_text(pid_t pid, const char *name, char *text)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    size_t got = fread(text, 1, STATUS_MAX - 1, file);
    (void)fclose(file);
    text[got] = '\0';
    return 0;
}

/* What stands after "name" and blanks in a line of text; "" when there is no such line. */
static const char *
value_of(const char *text, const char *name)
{
    for (const char *line = text; line && *line;) {
        if (strncmp(line, name, strlen(name)) == 0)
            return line + strlen(name) + strspn(line + strlen(name), ": \t");
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return "";
}

static bool
is_waiting_child(struct subject *subject, pid_t parent)
{
    return read_text(subject->pid, "status", subject->status) == 0 &&
           atol(value_of(subject->status, "PPid")) == (long)parent &&
           *value_of(subject->status, "State") == 'S' &&
           read_text(subject->pid, "limits", subject->limits) == 0;
}

/* 0 when parent has a child that sleeps. */
static int
find_waiting_child(struct subject *subject, pid_t parent)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int result = -1;

    while (proc && result < 0 && (entry = readdir(proc))) {
        subject->pid = (pid_t)atol(entry->d_name);
        if (subject->pid > 0 && is_waiting_child(subject, parent))
            result = 0;
    }
    if (proc)
        closedir(proc);
    return result;
}

static int
find_subject(struct subject *subject, pid_t zygote, struct err *err)
{
    const struct timespec pause = {.tv_nsec = 10000000};

    for (int round = 0; round < SETTLE_ROUNDS; round++) {
        if (find_waiting_child(subject, zygote) == 0)
            return 0;
        (void)nanosleep(&pause, NULL);
    }
    return err_set(err, ERR_SANDBOX_ERROR, 0, "no job process of zygote %d is waiting",
                   (int)zygote);
}

/* ---- looking ---- */

static void __attribute__((format(printf, 3, 4)))
find(struct finding *finding, enum layer_state state, const char *format, ...)
{
    va_list args;

    finding->state = state;
    va_start(args, format);
    (void)vsnprintf(finding->why, sizeof(finding->why), format, args);
    va_end(args);
}

static void
look_at_process(const struct subject *subject, struct finding *finding)
{
    find(finding, LAYER_ON, "pid %d waits for a job, and ends with it", (int)subject->pid);
}

static void
look_at_limits(const struct subject *subject, struct finding *finding)
{
    static const char *const names[] = {"Max core file size", "Max open files", "Max file size"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncmp(value_of(subject->limits, names[i]), "unlimited", 9) == 0) {
            find(finding, LAYER_OFF, "\"%s\" is not limited before the job starts", names[i]);
            return;
        }
    }
    find(finding, LAYER_ON, "core, open files, file size; those of the job when it starts");
}

static void
look_at_filter(const struct subject *subject, struct finding *finding)
{
    bool on = atoi(value_of(subject->status, "Seccomp")) == 2;

    find(finding, on ? LAYER_ON : LAYER_OFF, "seccomp mode %d",
         atoi(value_of(subject->status, "Seccomp")));
}

static void
look_at_privileges(const struct subject *subject, struct finding *finding)
{
    int set = atoi(value_of(subject->status, "NoNewPrivs"));

    find(finding, set ? LAYER_ON : LAYER_OFF, "no_new_privs is %d", set);
}

static void
look_at_user(const struct subject *subject, struct finding *finding)
{
    long uid = atol(value_of(subject->status, "Uid"));
    bool own = uid != (long)geteuid();

    find(finding, uid != 0 ? LAYER_ON : LAYER_OFF, "user id %ld%s", uid,
         own ? ", not the worker's" : ", the worker's own: start as root to have another");
}

static void
look_at_capabilities(const struct subject *subject, struct finding *finding)
{
    uint64_t permitted = strtoull(value_of(subject->status, "CapPrm"), NULL, 16);
    uint64_t effective = strtoull(value_of(subject->status, "CapEff"), NULL, 16);

    find(finding, (permitted | effective) == 0 ? LAYER_ON : LAYER_OFF,
         "permitted %016" PRIx64 ", effective %016" PRIx64, permitted, effective);
}

static void
look_at_namespaces(const struct subject *subject, struct finding *finding)
{
    static const char *const names[] = {"user", "pid", "net", "ipc", "mnt", "uts"};
    char shared[64] = "";

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char ours[64], theirs[64];
        struct stat a, b;
        (void)snprintf(ours, sizeof(ours), "/proc/self/ns/%s", names[i]);
        (void)snprintf(theirs, sizeof(theirs), "/proc/%d/ns/%s", (int)subject->pid, names[i]);
        if (stat(ours, &a) < 0 || stat(theirs, &b) < 0) {
            find(finding, LAYER_UNKNOWN, "%s: %s", theirs, strerror(errno));
            return;
        }
        if (a.st_ino == b.st_ino)
            (void)snprintf(shared + strlen(shared), sizeof(shared) - strlen(shared), " %s",
                           names[i]);
    }
    if (*shared)
        find(finding, LAYER_OFF, "shared with the worker:%s", shared);
    else
        find(finding, LAYER_ON, "user, pid, net, ipc, mnt, uts");
}

static const struct {
    const char *name;
    void (*look)(const struct subject *subject, struct finding *finding);
    const char *without;
} layers[] = {
#define LAYER(name, look, without) {name, look, without},
#include "worker/layers.def"
#undef LAYER
};

static void
print_table(const struct subject *subject, FILE *out)
{
    static const char *const words[] = {
        [LAYER_OFF] = "off", [LAYER_ON] = "on", [LAYER_UNKNOWN] = "unknown"};

    fprintf(out, "%-20s %-8s %s\n", "layer", "state", "why");
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        struct finding finding;
        layers[i].look(subject, &finding);
        fprintf(out, "%-20s %-8s %s%s%s\n", layers[i].name, words[finding.state], finding.why,
                finding.state == LAYER_ON ? "" : "; without it ",
                finding.state == LAYER_ON ? "" : layers[i].without);
    }
}

/* ---- starting what is looked at ---- */

struct trial {
    struct event_base *base;
    struct err failure;
};

static void
on_state(void *context, const struct err *err)
{
    struct trial *trial = context;

    if (err)
        trial->failure = *err;
    (void)event_base_loopbreak(trial->base);
}

static int
run_trial(struct trial *trial, const struct engine_choice *engine, FILE *out, struct err *err)
{
    struct executor_options options = {.command = &engine->command,
                                       .slots = 1,
                                       .input_capacity = JOB_INPUT_BYTES,
                                       .output_capacity = JOB_INPUT_BYTES,
                                       .on_state = on_state,
                                       .context = trial};
    struct executor *executor = executor_new(trial->base, &options, err);
    struct executor_stats stats = {.ready = false};
    struct subject subject;
    int result = -1;

    if (!executor)
        return -1;
    /* Until the zygote is ready, or has died; then until the first process waits. */
    (void)event_base_dispatch(trial->base);
    for (executor_stats(executor, &stats); stats.ready && stats.warm == 0;
         executor_stats(executor, &stats))
        (void)event_base_loop(trial->base, EVLOOP_ONCE);
    if (!stats.ready)
        *err = trial->failure;
    else if (find_subject(&subject, stats.zygote_pid, err) == 0)
        result = 0;
    if (result == 0)
        print_table(&subject, out);
    executor_free(executor);
    return result;
}

int
check_print(const struct config *config, FILE *out, struct err *err)
{
    struct trial trial = {.failure = ERR_INIT};
    struct engine_choice engine;

    if (engine_choose(&engine, config, err) < 0)
        return -1;
    fprintf(out, "engine: %s, %s\n\n", engine.cli ? "cli" : "image", engine.source);
    trial.base = event_base_new();
    int result = trial.base ? run_trial(&trial, &engine, out, err)
                            : err_set(err, ERR_SYSTEM, ENOMEM, "making the event loop");
    if (trial.base)
        event_base_free(trial.base);
    engine_choice_fini(&engine);
    return result;
}
