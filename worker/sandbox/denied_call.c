#include "worker/sandbox/denied_call.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>

#include "worker/zygote_protocol.h"

/* No filter of ours lets the x32 interface live, however it treats the calls of its table. */
#define DEADLY_CALL 0x40000000L

static _Atomic uint32_t *note_to;

/* The zygote itself, or a child that has no memory to note it in yet. */
static void
tell_worker(int number)
{
    const struct zygote_event event = {.type = ZYGOTE_FAILED, .denied_call = (uint32_t)number + 1};

    (void)send(ZYGOTE_CONTROL_FD, &event, sizeof(event), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Never returns, and asks nothing of memory that a fault would not answer with death. */
__attribute__((no_sanitize("address", "undefined"))) static void
on_denied(int signal_number, siginfo_t *info, void *context)
{
    long ignored;

    (void)signal_number;
    (void)context;
    if (note_to != NULL)
        atomic_store_explicit(note_to, (uint32_t)info->si_syscall + 1, memory_order_relaxed);
    else
        tell_worker(info->si_syscall);
    __asm__ volatile("syscall" : "=a"(ignored) : "a"(DEADLY_CALL) : "rcx", "r11", "memory");
    for (;;)
        __builtin_trap();
}

int
denied_call_watch(struct err *err)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

    action.sa_sigaction = on_denied;
    sigfillset(&action.sa_mask);
    if (sigaction(SIGSYS, &action, NULL) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot watch for refused system calls");
    return 0;
}

void
denied_call_note_in(_Atomic uint32_t *note)
{
    note_to = note;
}
