/* Loading a module and letting it boot, in the zygote. */
#include "worker/sandbox/boot.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/engine/engine.h"
#include "worker/engine/fiber.h"
#include "worker/sandbox/limits.h"
#include "worker/sandbox/role.h"
#include "worker/sandbox/zygote.h"
#include "worker/wasi/wasi.h"
#include "worker/zygote_protocol.h"

const struct sandbox_role *sandbox_role;

/* What a guest prints while it boots explains why it does not. */
static void
boot_write(int stream, const void *data, size_t size)
{
    (void)stream;
    const char *at = data;
    while (size > 0) {
        ssize_t written = write(STDERR_FILENO, at, size);
        if (written <= 0)
            return;
        at += written;
        size -= (size_t)written;
    }
}

static __attribute__((noreturn)) void
boot_exit(uint32_t code)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_SANDBOX_ERROR, 0, "the guest ended with code %u before it asked for a job",
            (unsigned)code);
    zygote_fail(&err);
}

static __attribute__((noreturn)) void
boot_trap(enum engine_trap trap)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_SANDBOX_ERROR, 0, "the guest trapped while booting: %s",
            engine_trap_text(trap));
    zygote_fail(&err);
}

static void
boot_memory_note(void)
{
    /* Refused memory shows in how the boot goes on. */
}

static const struct sandbox_role boot_role = {
    .write = boot_write,
    .exit = boot_exit,
    .trap = boot_trap,
    .memory_refused = boot_memory_note,
    .memory_fatal = boot_memory_note,
};

/* Where callbacks of the engine and the WASI host arrive. */
static void
on_write(void *context, int stream, const void *data, size_t size)
{
    (void)context;
    sandbox_role->write(stream, data, size);
}

static __attribute__((noreturn)) void
on_exit_call(uint32_t code)
{
    sandbox_role->exit(code);
}

static void
on_memory_fatal(void)
{
    sandbox_role->memory_fatal();
}

static void
on_trap(enum engine_trap trap)
{
    sandbox_role->trap(trap);
}

static void
on_memory_refused(void)
{
    sandbox_role->memory_refused();
}

/* The image's tree; *tree is NULL when the worker gave none. */
static int
map_tree(const void **tree, size_t *bytes, struct err *err)
{
    struct stat status;

    *tree = NULL;
    *bytes = 0;
    if (fstat(ZYGOTE_TREE_FD, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size == 0) {
        close(ZYGOTE_TREE_FD);
        return 0;
    }
    void *mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, ZYGOTE_TREE_FD, 0);
    if (mapped == MAP_FAILED)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot map the image's tree");
    close(ZYGOTE_TREE_FD);
    *tree = mapped;
    *bytes = (size_t)status.st_size;
    return 0;
}

static int
load(const struct sandbox_options *options, struct err *err)
{
    struct wasi_config config = {
        .argv = (const char *const *)options->argv,
        .env = options->env,
        .work_limit_bytes = options->work_bytes,
        .node_limit = options->work_files,
        .sink = {.write = on_write},
        .hooks = {.await_job = zygote_serve,
                  .exit = on_exit_call,
                  .memory_fatal = on_memory_fatal,
                  .fiber = engine_fiber_request},
    };

    if (map_tree(&config.tree, &config.tree_bytes, err) < 0)
        return -1;
    engine_hooks =
        (struct engine_hooks){.on_trap = on_trap, .on_memory_refused = on_memory_refused};
    if (engine_load(err) < 0)
        return -1;
    return wasi_init(&config, err);
}

_Noreturn void
boot_run(const struct sandbox_options *options, uint64_t started_us)
{
    struct err err = ERR_INIT;

    zygote_init(&(struct zygote_start){.started_us = started_us,
                                       .guest_starts_after_fork = !options->bootstrap,
                                       .rehearsal = options->rehearsal});
    sandbox_role = &boot_role;
    if (load(options, &err) < 0)
        zygote_fail(&err);
    if (!options->bootstrap)
        zygote_serve();
    engine_start();
    /* Back from _start: an exit with 0, in the zygote as well as in a job process. */
    sandbox_role->exit(0);
}
