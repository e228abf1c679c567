/* ldflags: -Wl,--wrap=malloc,--wrap=calloc,--wrap=strdup */
/* Each constructor with its n-th allocation failing, for every n: NULL and err, nothing leaked. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/codec.h"
#include "common/config.h"
#include "common/log.h"
#include "common/queue.h"
#include "common/utf8.h"

/* The allocation that fails, counted from 1; 0: none does. */
static unsigned failing, counted;

static int
fails(void)
{
    return failing != 0 && ++counted == failing;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
char *__wrap_strdup(const char *text);

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

char *
__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

/* Returns whether it succeeded, and frees what it made. */
typedef bool attempt_fn(struct err *err);

static void
fail_each_allocation(attempt_fn *attempt, unsigned at_least)
{
    for (unsigned n = 1;; n++) {
        struct err err = ERR_INIT;
        failing = n;
        counted = 0;
        bool made = attempt(&err);
        failing = 0;
        if (made) {
            assert_true(n > at_least);
            return;
        }
        assert_int_not_equal(err.code, ERR_NONE);
        assert_true(n < 1000);
    }
}

static struct event_base *base;
static const struct queue_options options = {.redis_url = "redis://u:p@localhost:1/2",
                                             .prefix = "t:",
                                             .connect_timeout_ms = 100,
                                             .command_timeout_ms = 100};

static bool
make_client(struct err *err)
{
    struct queue_client *client = queue_client_new(base, &options, 4, err);
    queue_client_free(client);
    return client != NULL;
}

static void
on_job(void *context, struct queue_claim *claim)
{
    (void)context;
    queue_claim_fini(claim);
}

static bool
make_worker(struct err *err)
{
    static const char *const languages[] = {"python", "ruby", NULL};
    const struct queue_worker_hooks hooks = {.on_job = on_job};
    struct queue_worker *worker = queue_worker_new(base, &options, "w", languages, &hooks, err);
    queue_worker_free(worker);
    return worker != NULL;
}

static bool
make_config(struct err *err)
{
    struct config config;
    if (config_init(&config, CONFIG_WORKER, err) < 0)
        return false;
    config_fini(&config);
    return true;
}

static bool
make_result(struct err *err)
{
    struct result result = {.verdict = VERDICT_EXITED, .out.kept = {.data = "abc", .size = 3}};
    struct result back;
    struct bytes packed;
    if (codec_pack_result(&result, &packed, err) < 0)
        return false;
    int rc = codec_unpack_result(packed.data, packed.size, &back, err);
    bytes_fini(&packed);
    if (rc == 0)
        result_fini(&back);
    return rc == 0;
}

static void
test_a_client_without_memory_is_none(void **state)
{
    (void)state;
    fail_each_allocation(make_client, 4);
}

static void
test_a_worker_without_memory_is_none(void **state)
{
    (void)state;
    fail_each_allocation(make_worker, 6);
}

static void
test_settings_without_memory_are_none(void **state)
{
    (void)state;
    fail_each_allocation(make_config, 5);
}

static void
test_a_message_without_memory_is_none(void **state)
{
    (void)state;
    fail_each_allocation(make_result, 2);
}

static int
setup(void **state)
{
    (void)state;
    log_init("test", LOG_ERROR);
    base = event_base_new();
    return base ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    event_base_free(base);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_without_memory_is_none),
        cmocka_unit_test(test_a_worker_without_memory_is_none),
        cmocka_unit_test(test_settings_without_memory_are_none),
        cmocka_unit_test(test_a_message_without_memory_is_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
