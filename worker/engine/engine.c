/* Loading and starting the one module of this process. */
#include "worker/engine/engine.h"

#include "worker/engine/fiber_internal.h"
#include "worker/engine/memory_internal.h"

struct engine_hooks engine_hooks;

int
engine_load(struct err *err)
{
    if (engine_trap_install(err) < 0 || engine_memory_map(err) < 0)
        return -1;
    if (engine_module.fiber_main != NULL &&
        (fiber_stacks_reserve(err) < 0 || fiber_preempt_install(err) < 0))
        return -1;
    engine_module_init();
    return 0;
}

void
engine_start(void)
{
    engine_module_start();
}
