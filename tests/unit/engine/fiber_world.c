#include "tests/unit/engine/fiber_world.h"

#include <sys/wait.h>

uint32_t stack_pointer = 4096;
static void enter(uint32_t argument);

const struct engine_module engine_module = {
    .sha256 = "",
    .memory_base = UINT64_C(0x200000000000),
    .initial_pages = PAGES,
    .maximum_pages = 65536,
    .stack_pointer = &stack_pointer,
    .fiber_main = enter,
};

void (*body)(uint32_t argument);

void
engine_module_init(void)
{
}

void
engine_module_start(void)
{
}

static void
enter(uint32_t argument)
{
    body(argument);
}

static _Noreturn void
exit_with_trap(enum engine_trap trap)
{
    _exit(TRAPPED(trap));
}

int refusals;

static void
count_refusal(void)
{
    refusals++;
}

int
status_of(void (*check)(void))
{
    struct err err = ERR_INIT;
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        engine_hooks = (struct engine_hooks){exit_with_trap, count_refusal};
        if (engine_load(&err) < 0 || engine_fibers_allow(&err) < 0)
            _exit(99);
        check();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

enum engine_fiber_answer
make_fiber(uint32_t slot, uint32_t argument)
{
    return engine_fiber_request(&(struct fiber_request){
        .operation = FIBER_NEW, .as.fiber = {.slot = slot, .argument = argument}});
}

enum engine_fiber_answer
ask_for(uint32_t operation, uint32_t slot)
{
    return engine_fiber_request(
        &(struct fiber_request){.operation = operation, .as.fiber.slot = slot});
}

enum engine_fiber_answer
set_flags(uint32_t flag, uint32_t other_flag, uint32_t interval_us)
{
    return engine_fiber_request(&(struct fiber_request){
        .operation = FIBER_PREEMPT,
        .as.preempt = {.flags = {flag, other_flag}, .interval_us = interval_us}});
}

uint32_t
guard_of(uint32_t slot)
{
    return (uint32_t)(PAGES * PAGE + (slot - 1) * (SLOT_BYTES));
}

uint32_t
top_of(uint32_t slot)
{
    return guard_of(slot) + SLOT_BYTES;
}

void
go_to(uint32_t slot)
{
    CHECK(ask_for(FIBER_SWITCH, slot) == ENGINE_FIBER_OK);
}

void
end_fiber(void)
{
    (void)ask_for(FIBER_END, 0);
    CHECK(!"a fiber that has ended goes on");
}
