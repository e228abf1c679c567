/*
 * Nothing is believed here that the sandbox says of itself: a job process is started as for any
 * job, and looked at. Only why a layer is missing is taken from the zygote's start.
 */
#include "worker/layers_look.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/daemon_filter.h"
#include "worker/cgroup.h"

#define SETTLE_ROUNDS 200 /* of 10 ms: a job process locks itself down within a millisecond */
#define STATUS_MAX    8192
#define PATH_SIZE     64
#define NAMESPACE_REMEDY                                                                           \
    "start as root, or permit user namespaces: sysctl user.max_user_namespaces above 0, "          \
    "kernel.apparmor_restrict_unprivileged_userns=0; in a container also its seccomp profile"
#define CGROUP_REMEDY                                                                              \
    "a cgroup v2 of the worker's own that offers it: systemd Delegate=yes, docker "                \
    "--security-opt writable-cgroups=true, podman --security-opt unmask=/sys/fs/cgroup"

struct subject {
    pid_t pid;
    const char *detail;                /* of the row */
    const struct layer_report *report; /* of the layer */
    char zygote_status[STATUS_MAX];    /* /proc/PID/status of its parent */
    char status[STATUS_MAX];           /* /proc/PID/status */
    char limits[STATUS_MAX];           /* /proc/PID/limits */
};

struct row {
    struct layer_row text;
    void (*look)(const struct subject *subject, struct layer_finding *finding);
    const char *detail;
};

/* ---- finding a job process ---- */

static int
read_text(pid_t pid, const char *name, char *text)
{
    char path[PATH_SIZE];

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
find(struct layer_finding *finding, enum layer_state state, const char *format, ...)
{
    va_list args;

    finding->state = state;
    va_start(args, format);
    (void)vsnprintf(finding->why, sizeof(finding->why), format, args);
    va_end(args);
}

void
layer_explain(const struct layer_report *report, struct layer_finding *finding)
{
    if (report->sys_errno == 0)
        find(finding, LAYER_STATE_OFF, "%s", report->text);
    else
        find(finding, LAYER_STATE_OFF, "%s: %s", report->text, strerror(report->sys_errno));
}

/* Off, for the reason that the zygote's start gave, or for this one. */
static void
find_missing(const struct subject *subject, struct layer_finding *finding, const char *otherwise)
{
    if (subject->report->told)
        layer_explain(subject->report, finding);
    else
        find(finding, LAYER_STATE_OFF, "%s", otherwise);
}

/* What may not be looked at: missing if the start said so, else not known. */
static void
find_unseen(const struct subject *subject, struct layer_finding *finding, const char *what)
{
    if (subject->report->told)
        find_missing(subject, finding, "");
    else
        find(finding, LAYER_STATE_UNKNOWN, "%s: %s", what, strerror(errno));
}

static void
look_at_process(const struct subject *subject, struct layer_finding *finding)
{
    find(finding, LAYER_STATE_ON, "pid %d waits for a job, and ends with it", (int)subject->pid);
}

static void
look_at_limits(const struct subject *subject, struct layer_finding *finding)
{
    static const char *const names[] = {"Max core file size", "Max open files", "Max file size"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncmp(value_of(subject->limits, names[i]), "unlimited", 9) == 0) {
            find(finding, LAYER_STATE_OFF, "\"%s\" is not limited before the job starts", names[i]);
            return;
        }
    }
    find(finding, LAYER_STATE_ON, "core, open files, file size; those of the job when it starts");
}

/* Filters are inherited, so each process is to have more than the one that started it. */
static void
compare_filters(const char *parent, const char *child, struct layer_finding *finding)
{
    int inherited = atoi(value_of(parent, "Seccomp_filters"));
    int held = atoi(value_of(child, "Seccomp_filters"));

    if (atoi(value_of(child, "Seccomp")) != 2)
        find(finding, LAYER_STATE_OFF, "no filter");
    else if (!*value_of(child, "Seccomp_filters"))
        find(finding, LAYER_STATE_UNKNOWN, "this kernel does not count filters");
    else
        find(finding, held > inherited ? LAYER_STATE_ON : LAYER_STATE_OFF,
             "%d filters, %d of them inherited", held, inherited);
}

static void
look_at_job_filter(const struct subject *subject, struct layer_finding *finding)
{
    compare_filters(subject->zygote_status, subject->status, finding);
}

static void
look_at_zygote_filter(const struct subject *subject, struct layer_finding *finding)
{
    static char own[STATUS_MAX];

    if (read_text(getpid(), "status", own) < 0)
        own[0] = '\0';
    compare_filters(own, subject->zygote_status, finding);
}

static void
look_at_worker_filter(const struct subject *subject, struct layer_finding *finding)
{
    bool holds = daemon_filter_holds();

    (void)subject;
    find(finding, holds ? LAYER_STATE_ON : LAYER_STATE_OFF, "a call that it does not need is %s",
         holds ? "refused" : "made");
}

static void
look_at_privileges(const struct subject *subject, struct layer_finding *finding)
{
    int set = atoi(value_of(subject->status, "NoNewPrivs"));

    find(finding, set ? LAYER_STATE_ON : LAYER_STATE_OFF, "no_new_privs is %d", set);
}

static void
look_at_user(const struct subject *subject, struct layer_finding *finding)
{
    long uid = atol(value_of(subject->status, "Uid"));
    const char *groups = value_of(subject->status, "Groups");

    if (uid == 0)
        find_missing(subject, finding, "user id 0");
    else
        find(finding, LAYER_STATE_ON, "user id %ld, %s%s%.*s", uid,
             uid == (long)geteuid() ? "the worker's own" : "not the worker's",
             *groups == '\n' ? "" : "; supplementary groups ", (int)strcspn(groups, "\n"), groups);
}

static void
look_at_capabilities(const struct subject *subject, struct layer_finding *finding)
{
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};
    bool bounded = strtoull(value_of(subject->status, "CapBnd"), NULL, 16) == 0;

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        uint64_t set = strtoull(value_of(subject->status, sets[i]), NULL, 16);
        if (set != 0) {
            find(finding, LAYER_STATE_OFF, "%s is %016" PRIx64, sets[i], set);
            return;
        }
    }
    find(finding, LAYER_STATE_ON, "all sets are empty%s",
         bounded ? "" : " but the bounding set, which counts for nothing under no_new_privs");
}

static void
look_at_namespace(const struct subject *subject, struct layer_finding *finding)
{
    char ours[PATH_SIZE], theirs[PATH_SIZE];
    struct stat a, b;

    (void)snprintf(ours, sizeof(ours), "/proc/self/ns/%s", subject->detail);
    (void)snprintf(theirs, sizeof(theirs), "/proc/%d/ns/%s", (int)subject->pid, subject->detail);
    if (stat(ours, &a) < 0 || stat(theirs, &b) < 0)
        find_unseen(subject, finding, theirs);
    else if (a.st_ino == b.st_ino)
        find_missing(subject, finding, "shared with the worker");
    else if (subject->report->told) /* there, but not all that belongs to it */
        find_missing(subject, finding, "");
    else
        find(finding, LAYER_STATE_ON, "not the worker's");
}

/* "memory.max" and its kind, of the job's group; NULL: there is none, or no limit in it. */
static const char *
read_group_limit(const char *group, const char *controller, char text[PATH_SIZE])
{
    char path[CGROUP_PATH_SIZE + PATH_SIZE];

    (void)snprintf(path, sizeof(path), "%s/%s.max", group, controller);
    FILE *file = fopen(path, "re");
    const char *line = file ? fgets(text, PATH_SIZE, file) : NULL;
    if (file)
        (void)fclose(file);
    if (!line || strncmp(text, "max", 3) == 0)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static void
look_at_cgroup(const struct subject *subject, struct layer_finding *finding)
{
    char ours[CGROUP_PATH_SIZE], theirs[CGROUP_PATH_SIZE], text[PATH_SIZE];
    struct err err = ERR_INIT;

    if (cgroup_path_of(0, ours, &err) < 0 || cgroup_path_of(subject->pid, theirs, &err) < 0)
        find_missing(subject, finding, err.text);
    else if (strcmp(ours, theirs) == 0)
        find_missing(subject, finding, "in the worker's control group");
    else if (subject->report->told || !read_group_limit(theirs, subject->detail, text))
        find_missing(subject, finding, "no limit in its control group");
    else
        find(finding, LAYER_STATE_ON, "a control group of the zygote's, %s.max %s", subject->detail,
             text);
}

/* Entries of a directory of the process's, dots aside; -1 with errno. */
static int
count_entries(pid_t pid, const char *name)
{
    char path[PATH_SIZE];
    struct dirent *entry;
    int count = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    DIR *directory = opendir(path);
    if (!directory)
        return -1;
    while ((entry = readdir(directory)))
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void
look_at_root(const struct subject *subject, struct layer_finding *finding)
{
    char path[PATH_SIZE];
    struct statvfs status;
    int count = count_entries(subject->pid, "root/");

    (void)snprintf(path, sizeof(path), "/proc/%d/root/", (int)subject->pid);
    if (count < 0 || statvfs(path, &status) < 0)
        find_unseen(subject, finding, path);
    else if (count > 0)
        find_missing(subject, finding, "it sees the worker's files");
    else if (!(status.f_flag & ST_RDONLY))
        find(finding, LAYER_STATE_OFF, "the root is empty, but writable");
    else
        find(finding, LAYER_STATE_ON, "no file is visible, none can be made");
}

/* The kernel gives the files of such a process to root. */
static void
look_at_hidden(const struct subject *subject, struct layer_finding *finding)
{
    char path[PATH_SIZE];
    struct stat status;

    (void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)subject->pid);
    if (atol(value_of(subject->status, "Uid")) == 0 || stat(path, &status) < 0)
        find(finding, LAYER_STATE_UNKNOWN, "cannot be seen of a process of root's");
    else if (status.st_uid == 0)
        find(finding, LAYER_STATE_ON, "its files in /proc are root's");
    else
        find(finding, LAYER_STATE_OFF, "its files in /proc are those of user %u", status.st_uid);
}

static void
look_at_descriptors(const struct subject *subject, struct layer_finding *finding)
{
    int count = count_entries(subject->pid, "fd");

    if (count < 0)
        find_unseen(subject, finding, "its descriptors");
    else
        find(finding, count == 1 ? LAYER_STATE_ON : LAYER_STATE_OFF, "%d open", count);
}

static void
look_at_environment(const struct subject *subject, struct layer_finding *finding)
{
    static char text[STATUS_MAX];

    if (read_text(subject->pid, "environ", text) < 0)
        find_unseen(subject, finding, "its environment");
    else
        find(finding, *text ? LAYER_STATE_OFF : LAYER_STATE_ON, "%s",
             *text ? "it has variables" : "none");
}

static const struct row rows[LAYER_COUNT] = {
#define LAYER(symbol, layer_name, look_at, look_detail, lost, how)                                 \
    [LAYER_##symbol] = {.text = {.name = layer_name, .without = lost, .remedy = how},              \
                        .look = look_at,                                                           \
                        .detail = look_detail},
#include "worker/layers.def"
#undef LAYER
};

const struct layer_row *
layer_row(enum layer layer)
{
    return &rows[layer].text;
}

int
layers_look(pid_t zygote, const struct layer_report *reports,
            struct layer_finding findings[LAYER_COUNT], struct err *err)
{
    struct subject subject = {.pid = 0};

    if (find_subject(&subject, zygote, err) < 0)
        return -1;
    if (read_text(zygote, "status", subject.zygote_status) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot look at zygote %d", (int)zygote);
    for (int i = 0; i < LAYER_COUNT; i++) {
        subject.detail = rows[i].detail;
        subject.report = &reports[i];
        rows[i].look(&subject, &findings[i]);
    }
    return 0;
}
