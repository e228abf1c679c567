/* A refused call is named, and nothing that the process can do beforehand lets it live on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "worker/sandbox/denied_call.h"
#include "worker/sandbox/filter.h"
#include "worker/sandbox/limits.h"
#include "worker/zygote_protocol.h"

#define STACK_BYTES (128u << 10)
#define PAGE_BYTES  4096u
#define SET_UP      99

/* Memory that the child and the test share. */
static struct {
    _Atomic uint32_t note;
    _Atomic uint32_t survived; /* the child ran on after a refused call */
} * shared;

static uint8_t *signal_stack;
/* Only its last page is there: room for a part of a signal's frame, so that writing it fails. */
static uint8_t *partial_stack;

static void
survive(void)
{
    atomic_store(&shared->survived, 1);
    syscall(SYS_exit_group, 0);
}

static void
make_a_refused_call(void)
{
    syscall(SYS_socket, -1, -1, -1);
}

/* Changes what rt_sigreturn restores, which goes on in a refused call. */
static void (*forge)(ucontext_t *machine);

/* On a stack that is none for signals, or the kernel would not let that one be changed. */
static void
return_to_refused_call(const ucontext_t *machine)
{
    static ucontext_t forged;
    greg_t *registers = forged.uc_mcontext.gregs;

    forged = *machine;
    forged.uc_mcontext.fpregs = NULL;
    registers[REG_RIP] = (greg_t)(uintptr_t)make_a_refused_call;
    registers[REG_RSP] = ((registers[REG_RSP] - PAGE_BYTES) & ~(greg_t)15) - 8;
    forge(&forged);
    forge = NULL;
    __asm__ volatile("movq %0, %%rsp\n\tsyscall"
                     :
                     : "r"(&forged), "a"(SYS_rt_sigreturn)
                     : "memory");
}

/*
 * Stands for the engine's handler in a process that has been taken over: its code cannot be
 * changed, but all that it goes by can.
 */
static void
on_fault(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    if (forge != NULL)
        return_to_refused_call(context);
    survive();
}

/* A job process as it is when its program starts, with a handler for faults like the engine's. */
static bool
become_job(void)
{
    const struct rlimit no_core = {0, 0};
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t stack = {.ss_sp = signal_stack, .ss_size = STACK_BYTES};
    struct err err = ERR_INIT;

    action.sa_sigaction = on_fault;
    for (int number = 1; number < SIGRTMIN; number++)
        if (number != SIGKILL && number != SIGSTOP)
            (void)signal(number, SIG_DFL);
    return setrlimit(RLIMIT_CORE, &no_core) == 0 && sigaltstack(&stack, NULL) == 0 &&
           sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGBUS, &action, NULL) == 0 &&
           denied_call_watch(&err) == 0 && filter_build(&err) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && filter_install(&err) == 0;
}

/* The signal that ends a child which does as told; 0: it ended in another way. */
static int
end_of(void (*action)(void))
{
    int status;

    atomic_store(&shared->note, 0);
    atomic_store(&shared->survived, 0);
    pid_t pid = fork();
    if (pid == 0) {
        denied_call_note_in(&shared->note);
        if (!become_job())
            _exit(SET_UP);
        action();
        survive();
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == SET_UP);
    assert_int_equal(atomic_load(&shared->survived), 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
break_a_check(void)
{
    syscall(SYS_mmap, NULL, PAGE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
a_refused_call_kills_and_leaves_its_number(void **state)
{
    (void)state;
    assert_int_equal(end_of(make_a_refused_call), SIGSYS);
    assert_int_equal(atomic_load(&shared->note), SYS_socket + 1);
    assert_int_equal(end_of(break_a_check), SIGSYS);
    assert_int_equal(atomic_load(&shared->note), SYS_mmap + 1);
}

static void
the_zygote_tells_the_worker_what_kills_it(void **state)
{
    struct zygote_event event = {.type = 0};
    struct err err = ERR_INIT;
    int ends[2], status;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (dup2(ends[1], ZYGOTE_CONTROL_FD) < 0 || denied_call_watch(&err) < 0 ||
            filter_build(&err) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            filter_install_zygote(&err) < 0)
            _exit(SET_UP);
        make_a_refused_call();
        survive();
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    assert_int_equal(recv(ends[0], &event, sizeof(event), MSG_DONTWAIT), sizeof(event));
    assert_int_equal(event.type, ZYGOTE_FAILED);
    assert_int_equal(event.serial, 0);
    assert_int_equal(event.denied_call, SYS_socket + 1);
    close(ends[0]);
    close(ends[1]);
}

static void
block_all_signals(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    make_a_refused_call();
}

static void
a_blocked_sigsys_kills_without_a_number(void **state)
{
    (void)state;
    assert_int_equal(end_of(block_all_signals), SIGSYS);
    assert_int_equal(atomic_load(&shared->note), 0);
}

static void
replace_the_handler(void)
{
    const struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        unsigned long mask;
    } action = {.handler = (void *)(uintptr_t)on_fault};

    syscall(SYS_rt_sigaction, SIGSYS, &action, NULL, sizeof(action.mask));
}

static void
move_the_signal_stack(void)
{
    const stack_t none = {.ss_flags = SS_DISABLE};

    syscall(SYS_sigaltstack, &none, NULL);
}

static void
handler_and_stack_cannot_be_replaced(void **state)
{
    (void)state;
    assert_int_equal(end_of(replace_the_handler), SIGSYS);
    assert_int_equal(atomic_load(&shared->note), SYS_rt_sigaction + 1);
#ifndef SANDBOX_SANITIZED
    assert_int_equal(end_of(move_the_signal_stack), SIGSYS);
    assert_int_equal(atomic_load(&shared->note), SYS_sigaltstack + 1);
#else
    (void)move_the_signal_stack;
#endif
}

/* The handler stores its note where nothing is mapped; the fault's handler must not run. */
static void
spoil_the_note(void)
{
    denied_call_note_in((_Atomic uint32_t *)(uintptr_t)16);
    make_a_refused_call();
}

static void
a_fault_in_the_handler_kills(void **state)
{
    (void)state;
    assert_int_equal(end_of(spoil_the_note), SIGSEGV);
}

/*
 * rt_sigreturn sets registers, mask and signal stack from memory, so whoever has left the wasm can
 * choose them.
 */
static void
fault(void)
{
    static volatile uintptr_t nowhere = 16;

    (void)*(volatile uint8_t *)nowhere;
}

static void
disable_the_stack(ucontext_t *machine)
{
    machine->uc_stack = (stack_t){.ss_flags = SS_DISABLE};
}

static void
point_the_stack_at_nothing(ucontext_t *machine)
{
    machine->uc_stack = (stack_t){.ss_sp = (void *)(uintptr_t)PAGE_BYTES, .ss_size = STACK_BYTES};
}

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static void
leave_room_for_a_part(ucontext_t *machine)
{
    machine->uc_stack =
        (stack_t){.ss_sp = partial_stack, .ss_size = STACK_BYTES - PAGE_BYTES + 512};
}

/* Only the upper part of the frame has room: whether that has disarmed the stack already? */
static void
disarm_on_a_stack_without_room(ucontext_t *machine)
{
    machine->uc_stack = (stack_t){.ss_sp = partial_stack,
                                  .ss_size = STACK_BYTES - PAGE_BYTES + 512,
                                  .ss_flags = (int)SS_AUTODISARM};
}

static void
unblock_all(ucontext_t *machine)
{
    sigemptyset(&machine->uc_sigmask);
}

static void
block_all(ucontext_t *machine)
{
    sigfillset(&machine->uc_sigmask);
}

static int
end_of_forged(void (*change)(ucontext_t *machine))
{
    forge = change;
    int number = end_of(fault);
    forge = NULL;
    return number;
}

static void
a_forged_return_from_a_signal_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(end_of_forged(unblock_all), SIGSYS);
    assert_int_equal(atomic_load(&shared->note), SYS_socket + 1);
    assert_int_equal(end_of_forged(block_all), SIGSYS);
    assert_int_equal(end_of_forged(disable_the_stack), SIGSYS);
    assert_int_equal(end_of_forged(point_the_stack_at_nothing), SIGSEGV);
    assert_int_equal(end_of_forged(leave_room_for_a_part), SIGSEGV);
    assert_int_equal(end_of_forged(disarm_on_a_stack_without_room), SIGSEGV);
}

static int
setup(void **state)
{
    (void)state;
    shared = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    signal_stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    partial_stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || signal_stack == MAP_FAILED || partial_stack == MAP_FAILED)
        return -1;
    return munmap(partial_stack, STACK_BYTES - PAGE_BYTES);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_call_kills_and_leaves_its_number),
        cmocka_unit_test(the_zygote_tells_the_worker_what_kills_it),
        cmocka_unit_test(a_blocked_sigsys_kills_without_a_number),
        cmocka_unit_test(handler_and_stack_cannot_be_replaced),
        cmocka_unit_test(a_fault_in_the_handler_kills),
        cmocka_unit_test(a_forged_return_from_a_signal_changes_nothing),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
