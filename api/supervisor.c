/*
 * Theory of operation. The parent holds the listening socket and serves nobody. It forks the
 * serving processes, each of which has the socket too, a loop, connections to Redis and a filter of
 * its own. The kernel keeps clients that connect in the one queue of that one socket: whichever
 * process is awake takes them, and when a process leaves, none is lost with it. (With a socket each
 * and SO_REUSEPORT those in the queue of the one that leaves would be reset.)
 *
 *     STARTING ──serves──▶ SERVING ──SIGTERM──▶ LEAVING ──▶ gone
 *        └───────────────────┴─── died: another one for its place, after a while
 *
 * A place is one of `processes`; a slot is one living process. In a rolling restart (SIGHUP) one
 * place at a time gets a second process; when that serves, the one before is told to leave, and the
 * next place has its turn when it is gone. So there is one slot more than places. If the new one
 * does not come to serve, the old ones stay.
 *
 * A process tells by a pipe that it serves, or why it could not. A failure of one of the first is
 * the service's: all end. Later ones are tried again, after RESTART_FIRST_MS, twice that, and so on
 * to RESTART_MOST_MS; who has served for RESTART_CALM_MS has cleared that.
 *
 * The parent blocks its signals and reads them from a descriptor, together with the pipes; it has
 * no loop of libevent's, which a fork would share. Serving processes ignore what a terminal sends
 * to all, and get SIGTERM when the parent dies, however it does.
 */
#include "api/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/supervisor_internal.h"
#include "common/clock.h"
#include "common/log.h"

#define RESTART_FIRST_MS 100
#define RESTART_MOST_MS  10000
#define RESTART_CALM_MS  30000
/* Longer than this no end takes, after a drain and without one. */
#define END_MS           2000
#define AT_ONCE_MS       1000
#define NO_ONE           SUPERVISOR_SLOTS

struct place {
    uint64_t due_us; /* monotonic: not started before */
    unsigned failures;
    bool was_started;
};

struct supervisor {
    const struct supervisor_options *options;
    int listen_fd, signal_fd;
    sigset_t signals_before;
    struct process processes[SUPERVISOR_SLOTS];
    struct place places[SUPERVISOR_PROCESSES_MOST];
    unsigned rolling;     /* the place whose turn it is; `processes`: none */
    unsigned replacement; /* slot of its new process; NO_ONE: not forked yet */
    bool roll_again;
    bool all_served, stopping;
    struct err failure; /* why all end; ERR_NONE: they were told to */
};

/* ---- processes ---------------------------------------------------------------------------- */

static unsigned
free_slot(const struct supervisor *supervisor)
{
    unsigned slot = 0;
    while (slot < SUPERVISOR_SLOTS && supervisor->processes[slot].state != PROCESS_NONE)
        slot++;
    return slot;
}

/* The slot of a new process, or NO_ONE. */
static unsigned
start_process(struct supervisor *supervisor, unsigned place)
{
    unsigned slot = free_slot(supervisor);
    const struct process_start start = {.options = supervisor->options,
                                        .processes = supervisor->processes,
                                        .signal_fd = supervisor->signal_fd,
                                        .signals = &supervisor->signals_before,
                                        .place = place,
                                        .first = !supervisor->places[place].was_started,
                                        .quiet = !supervisor->all_served};
    struct err err = ERR_INIT;
    if (slot == NO_ONE)
        return NO_ONE;
    if (process_start(&start, slot, &err) < 0) {
        log_err(LOG_ERROR, "process_not_started", &err);
        return NO_ONE;
    }
    supervisor->places[place].was_started = true;
    return slot;
}

static void
tell_to_leave(const struct supervisor *supervisor, struct process *process)
{
    process_tell(process, SIGTERM, supervisor->options->drain_timeout_ms + END_MS);
}

/* ---- places ------------------------------------------------------------------------------- */

static bool
is_held(const struct supervisor *supervisor, unsigned place)
{
    for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++) {
        if (process_holds_its_place(&supervisor->processes[i]) &&
            supervisor->processes[i].place == place)
            return true;
    }
    return false;
}

static void
put_off(struct place *place)
{
    uint64_t ms = RESTART_FIRST_MS;
    for (unsigned i = 0; i < place->failures && ms < RESTART_MOST_MS; i++)
        ms *= 2;
    place->due_us = process_deadline_us(ms < RESTART_MOST_MS ? ms : RESTART_MOST_MS);
    place->failures++;
}

static void
start_what_is_due(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->options->processes && !supervisor->stopping; i++) {
        struct place *place = &supervisor->places[i];
        if (!is_held(supervisor, i) && place->due_us <= clock_monotonic_us() &&
            start_process(supervisor, i) == NO_ONE)
            put_off(place);
    }
}

static void
see_whether_all_serve(struct supervisor *supervisor)
{
    const struct supervisor_options *options = supervisor->options;
    unsigned serving = 0;
    for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++)
        serving += supervisor->processes[i].state == PROCESS_SERVING;
    if (supervisor->all_served || supervisor->stopping || serving < options->processes)
        return;
    supervisor->all_served = true;
    options->on_all_serving(options->context);
}

/* ---- a rolling restart -------------------------------------------------------------------- */

static void
begin_roll(struct supervisor *supervisor)
{
    if (supervisor->rolling < supervisor->options->processes) {
        supervisor->roll_again = true;
        return;
    }
    LOG(LOG_INFO, "rolling_restart", {"processes", LOG_UINT(supervisor->options->processes)});
    supervisor->rolling = 0;
    supervisor->replacement = NO_ONE;
}

static void
end_roll(struct supervisor *supervisor, enum log_level level, const char *event)
{
    LOG(level, event, {"replaced", LOG_UINT(supervisor->rolling)});
    supervisor->rolling = supervisor->options->processes;
    if (supervisor->roll_again && !supervisor->stopping)
        begin_roll(supervisor);
    supervisor->roll_again = false;
}

/* The new process of the place serves: the old one goes. True when it is gone. */
static bool
relieve(struct supervisor *supervisor)
{
    bool gone = true;
    for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++) {
        struct process *process = &supervisor->processes[i];
        if (process->state == PROCESS_NONE || process->place != supervisor->rolling ||
            i == supervisor->replacement)
            continue;
        gone = false;
        if (process_holds_its_place(process))
            tell_to_leave(supervisor, process);
    }
    return gone;
}

/* False: it waits for something, or is over. */
static bool
roll_one_step(struct supervisor *supervisor)
{
    unsigned count = supervisor->options->processes;
    if (supervisor->rolling == count || supervisor->stopping)
        return false;
    if (supervisor->replacement == NO_ONE) {
        supervisor->replacement = start_process(supervisor, supervisor->rolling);
        if (supervisor->replacement == NO_ONE)
            end_roll(supervisor, LOG_ERROR, "rolling_restart_failed");
        return false;
    }
    if (supervisor->processes[supervisor->replacement].state != PROCESS_SERVING ||
        !relieve(supervisor))
        return false;
    supervisor->replacement = NO_ONE;
    if (++supervisor->rolling == count)
        end_roll(supervisor, LOG_INFO, "rolling_restart_done");
    return true;
}

static void
roll_on(struct supervisor *supervisor)
{
    while (roll_one_step(supervisor))
        ;
}

/* ---- the end ------------------------------------------------------------------------------ */

/* Closed here first, so that clients are refused as soon as the last process has closed it. */
static void
stop(struct supervisor *supervisor)
{
    supervisor->stopping = true;
    supervisor->rolling = supervisor->options->processes;
    close(supervisor->listen_fd);
    supervisor->listen_fd = -1;
    for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++) {
        if (process_holds_its_place(&supervisor->processes[i]))
            tell_to_leave(supervisor, &supervisor->processes[i]);
    }
}

static void
stop_by_signal(struct supervisor *supervisor, int number)
{
    LOG(LOG_INFO, "stopping", {"signal", LOG_INT(number)},
        {"processes", LOG_UINT(supervisor->options->processes)});
    stop(supervisor);
}

static void
stop_at_once(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++) {
        if (supervisor->processes[i].state != PROCESS_NONE)
            process_tell(&supervisor->processes[i], SIGQUIT, AT_ONCE_MS);
    }
}

static void
fail(struct supervisor *supervisor, const struct err *why)
{
    if (supervisor->stopping)
        return;
    supervisor->failure = *why;
    stop(supervisor);
    stop_at_once(supervisor);
}

static void
kill_who_is_late(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++) {
        struct process *process = &supervisor->processes[i];
        if (process->state == PROCESS_NONE || clock_monotonic_us() < process->kill_us)
            continue;
        LOG(LOG_ERROR, "process_killed", {"pid", LOG_INT(process->pid)},
            {"message", LOG_STR("It neither served nor ended in time.")});
        process->kill_us = UINT64_MAX;
        (void)kill(process->pid, SIGKILL);
    }
}

/* ---- what is heard ------------------------------------------------------------------------ */

static void
on_end(struct supervisor *supervisor, unsigned slot, int status)
{
    const struct supervisor_options *options = supervisor->options;
    struct process *process = &supervisor->processes[slot];
    process_read_report(process);
    struct process ended = *process;
    bool expected = ended.state == PROCESS_LEAVING;
    struct place *place = &supervisor->places[ended.place];
    close(process->report_fd);
    *process = (struct process){.state = PROCESS_NONE};
    options->on_ended(options->context, slot);
    if (ended.first && ended.failure.code != ERR_NONE)
        fail(supervisor, &ended.failure);
    /* Then one sentence says it all. */
    if (supervisor->failure.code == ERR_NONE)
        process_log_ending(&ended, status, expected);
    if (slot == supervisor->replacement && supervisor->rolling < options->processes)
        end_roll(supervisor, LOG_ERROR, "rolling_restart_failed");
    if (expected || supervisor->stopping)
        return;
    if (clock_monotonic_us() - ended.since_us >= RESTART_CALM_MS * UINT64_C(1000))
        place->failures = 0;
    put_off(place);
}

static void
reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++) {
            if (supervisor->processes[i].state != PROCESS_NONE &&
                supervisor->processes[i].pid == pid)
                on_end(supervisor, i, status);
        }
    }
}

static void
read_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    while (read(supervisor->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        int number = (int)info.ssi_signo;
        if (number == SIGHUP && !supervisor->stopping)
            begin_roll(supervisor);
        else if ((number == SIGTERM || number == SIGINT) && supervisor->stopping)
            stop_at_once(supervisor);
        else if (number == SIGTERM || number == SIGINT)
            stop_by_signal(supervisor, number);
    }
}

/* ---- the loop ----------------------------------------------------------------------------- */

static void
note_earlier(uint64_t *earliest_us, uint64_t us)
{
    if (us < *earliest_us)
        *earliest_us = us;
}

/* For poll(): until something is due; -1: for ever. */
static int
patience_ms(const struct supervisor *supervisor)
{
    uint64_t earliest_us = UINT64_MAX, now_us = clock_monotonic_us();
    for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++) {
        if (supervisor->processes[i].state != PROCESS_NONE)
            note_earlier(&earliest_us, supervisor->processes[i].kill_us);
    }
    for (unsigned i = 0; i < supervisor->options->processes && !supervisor->stopping; i++) {
        if (!is_held(supervisor, i))
            note_earlier(&earliest_us, supervisor->places[i].due_us);
    }
    if (earliest_us == UINT64_MAX)
        return -1;
    return earliest_us <= now_us ? 0 : (int)((earliest_us - now_us) / 1000 + 1);
}

static void
listen_to_all(struct supervisor *supervisor)
{
    struct pollfd polls[SUPERVISOR_SLOTS + 1] = {{.fd = supervisor->signal_fd, .events = POLLIN}};
    for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++) {
        const struct process *process = &supervisor->processes[i];
        bool speaks = process->state == PROCESS_STARTING;
        polls[i + 1] = (struct pollfd){.fd = speaks ? process->report_fd : -1, .events = POLLIN};
    }
    if (poll(polls, SUPERVISOR_SLOTS + 1, patience_ms(supervisor)) < 0)
        return;
    for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++) {
        if (polls[i + 1].revents & POLLIN)
            process_read_report(&supervisor->processes[i]);
    }
    read_signals(supervisor);
    reap(supervisor);
}

static bool
is_anybody_left(const struct supervisor *supervisor)
{
    for (unsigned i = 0; i < SUPERVISOR_SLOTS; i++) {
        if (supervisor->processes[i].state != PROCESS_NONE)
            return true;
    }
    return false;
}

static int
watch_signals(struct supervisor *supervisor, struct err *err)
{
    sigset_t mine;
    (void)sigemptyset(&mine);
    (void)sigaddset(&mine, SIGTERM);
    (void)sigaddset(&mine, SIGINT);
    (void)sigaddset(&mine, SIGHUP);
    (void)sigaddset(&mine, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &mine, &supervisor->signals_before);
    supervisor->signal_fd = signalfd(-1, &mine, SFD_NONBLOCK | SFD_CLOEXEC);
    if (supervisor->signal_fd < 0)
        return err_set(err, ERR_SYSTEM, errno, "signals cannot be watched");
    return 0;
}

int
supervisor_run(const struct supervisor_options *options, struct err *err)
{
    struct supervisor supervisor = {.options = options,
                                    .listen_fd = options->listen_fd,
                                    .rolling = options->processes,
                                    .replacement = NO_ONE,
                                    .failure = ERR_INIT};
    if (watch_signals(&supervisor, err) < 0) {
        close(supervisor.listen_fd);
        return -1;
    }
    while (!supervisor.stopping || is_anybody_left(&supervisor)) {
        start_what_is_due(&supervisor);
        roll_on(&supervisor);
        kill_who_is_late(&supervisor);
        listen_to_all(&supervisor);
        see_whether_all_serve(&supervisor);
    }
    close(supervisor.signal_fd);
    if (supervisor.failure.code == ERR_NONE)
        return 0;
    *err = supervisor.failure;
    return -1;
}
