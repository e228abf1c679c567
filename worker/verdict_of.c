#include "worker/verdict_of.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/call_filter.h"
#include "worker/job_memory.h"

static const char *const trap_texts[] = {
    "unknown",
#define ENGINE_TRAP(symbol, text) text,
#include "worker/engine/trap.def"
#undef ENGINE_TRAP
};

__attribute__((format(printf, 3, 4))) static void
set_verdict(struct result *result, enum verdict verdict, const char *format, ...)
{
    va_list arguments;

    result->verdict = verdict;
    va_start(arguments, format);
    vsnprintf(result->detail, sizeof(result->detail), format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static void
set_failure(struct result *result, const char *format, ...)
{
    va_list arguments;

    result->error = ERR_SANDBOX_ERROR;
    result->verdict = VERDICT_NONE;
    va_start(arguments, format);
    vsnprintf(result->detail, sizeof(result->detail), format, arguments);
    va_end(arguments);
}

static const char *
trap_text(uint32_t trap)
{
    return trap_texts[trap < sizeof(trap_texts) / sizeof(trap_texts[0]) ? trap : 0];
}

static void
exited(const struct ending *ending, struct result *result)
{
    int code = WEXITSTATUS(ending->status);

    if (ending->note == JOB_NOTE_HOST_FAILURE) {
        set_failure(result, "%s", ending->text);
        return;
    }
    /* The program's own exit always leaves this note; so it never got that far. */
    if (ending->note != JOB_NOTE_EXITED) {
        set_failure(result, "the job process ended with code %d before the program did", code);
        return;
    }
    result->exit_code = code;
    /*
     * Not refused by memory.grow: larger than the address space and never asked for, or an
     * interpreter's own limit (CPython: a parser's stack), or just said so.
     */
    if (code != 0 && ending->memory_fatal)
        set_verdict(result, VERDICT_MEMORY_LIMIT, "%s",
                    ending->memory_refused ? "memory beyond the limit was refused"
                                           : "it gave up for want of memory; none was refused");
    else
        set_verdict(result, VERDICT_EXITED, "%s", "");
}

/* Who fights for memory until the clock ends it should learn of both. */
static const char *
memory_text(const struct ending *ending)
{
    return ending->memory_refused ? "; memory beyond the limit had been refused" : "";
}

static void
cpu_limit(const struct ending *ending, struct result *result)
{
    set_verdict(result, VERDICT_CPU_LIMIT, "stopped after %.3f s of CPU time%s",
                (double)ending->cpu_limit_us / 1e6, memory_text(ending));
}

static void
killed(const struct ending *ending, struct result *result)
{
    switch (ending->killed) {
    case KILL_TIMEOUT:
        set_verdict(result, VERDICT_TIMED_OUT, "stopped after %.3f s%s",
                    (double)ending->timeout_ms / 1e3, memory_text(ending));
        return;
    case KILL_CANCELLED:
        set_verdict(result, VERDICT_CANCELLED, "%s", "");
        return;
    case KILL_NONE:
        break;
    }
    /* RLIMIT_CPU's hard limit kills so; it stands behind the exact timer. */
    if (ending->cpu_us >= ending->cpu_limit_us)
        cpu_limit(ending, result);
    else if (ending->out_of_memory)
        /* Of all jobs together, or the host: the kernel's choice of this one proves no guilt. */
        set_failure(result, "the kernel killed the job process, since jobs together, or the host, "
                            "had no memory left");
    else
        set_failure(result,
                    "the job process was killed from outside; the host may be out of memory");
}

/* Only a name: that it was a call which is not allowed is the kernel's word. */
static void
denied(const struct ending *ending, struct result *result)
{
    char name[CALL_NAME_SIZE];

    if (ending->denied_call == 0) {
        set_failure(result, "the job process made a system call that is not allowed");
        return;
    }
    call_name((int)(ending->denied_call - 1), name);
    set_failure(result, "the job process made a system call that is not allowed: %s", name);
}

static void
signalled(const struct ending *ending, struct result *result)
{
    int number = WTERMSIG(ending->status);

    switch (number) {
    case SIGKILL:
        killed(ending, result);
        return;
    case SIGPROF:
    case SIGXCPU:
        cpu_limit(ending, result);
        return;
    case SIGSYS:
        denied(ending, result);
        return;
    default:
        break;
    }
    result->term_signal = number;
    if (ending->note == JOB_NOTE_TRAP)
        set_verdict(result, VERDICT_CRASHED, "trap: %s%s", trap_text(ending->trap),
                    memory_text(ending));
    else
        set_verdict(result, VERDICT_CRASHED, "signal %d: %s", number, strsignal(number));
}

void
verdict_of(const struct ending *ending, struct result *result)
{
    result->error = ERR_NONE;
    result->exit_code = -1;
    result->term_signal = 0;
    if (WIFSIGNALED(ending->status))
        signalled(ending, result);
    else
        exited(ending, result);
}
