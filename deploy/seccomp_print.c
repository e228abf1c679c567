/*
 * Prints deploy/seccomp.json: the tables of the daemons and of the sandbox as a seccomp profile for
 * containers, in the format that Docker and OCI runtimes read. For `make docs`.
 *
 * The profile is around all that runs in a container, so it is as wide as the widest of these
 * tables: a call that one program makes freely cannot be narrowed to what another may do with it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/daemon_filter_internal.h"
#include "worker/sandbox/filter_internal.h"

static const struct call_rule container_calls[] = {
#define CONTAINER_CALL(call, checks, why) CALL_RULE(call, checks, why),
#define CONTAINER_ABSENT(call, why)
#include "deploy/container_calls.def"
#undef CONTAINER_CALL
#undef CONTAINER_ABSENT
};
static const size_t container_call_count = sizeof(container_calls) / sizeof(container_calls[0]);

static const char *const absent_calls[] = {
#define CONTAINER_CALL(call, checks, why)
#define CONTAINER_ABSENT(call, why) #call,
#include "deploy/container_calls.def"
#undef CONTAINER_CALL
#undef CONTAINER_ABSENT
};
static const size_t absent_call_count = sizeof(absent_calls) / sizeof(absent_calls[0]);

/* Rows of all tables, sorted by name; those of one name are alternatives, as they come. */
struct profile {
    const struct call_rule **rules;
    size_t count;
};

static void
add(struct profile *profile, const struct call_rule *rule)
{
    size_t at = profile->count++;

    for (; at > 0 && strcmp(profile->rules[at - 1]->name, rule->name) > 0; at--)
        profile->rules[at] = profile->rules[at - 1];
    profile->rules[at] = rule;
}

static bool
has(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->count; i++)
        if (strcmp(profile->rules[i]->name, name) == 0)
            return true;
    return false;
}

/* The sandbox's rows are for less than its daemon may; those of calls that it may not are added. */
static void
collect(struct profile *profile)
{
    for (size_t i = 0; i < container_call_count; i++)
        add(profile, &container_calls[i]);
    for (size_t i = 0; i < daemon_call_count; i++)
        add(profile, &daemon_calls[i].rule);
    struct profile daemons = *profile;
    for (size_t i = 0; i < zygote_call_count; i++)
        if (!has(&daemons, zygote_calls[i].name))
            add(profile, &zygote_calls[i]);
}

static bool
is_free(const struct call_rule *rule)
{
    return rule->checks[0].kind == CALL_CHECK_NONE;
}

/* Has any row of that name no checks? */
static bool
is_name_free(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->count; i++)
        if (strcmp(profile->rules[i]->name, name) == 0 && is_free(profile->rules[i]))
            return true;
    return false;
}

static bool
is_same_name_as_before(const struct profile *profile, size_t index)
{
    return index > 0 && strcmp(profile->rules[index - 1]->name, profile->rules[index]->name) == 0;
}

static void
print_check(const struct call_check *check)
{
    if (check->kind == CALL_CHECK_IS)
        printf("{\"index\": %u, \"value\": %" PRIu64 ", \"op\": \"SCMP_CMP_EQ\"}", check->argument,
               check->value);
    else
        printf("{\"index\": %u, \"value\": %" PRIu64 ", \"valueTwo\": %" PRIu64
               ", \"op\": \"SCMP_CMP_MASKED_EQ\"}",
               check->argument, check->mask, check->value);
}

static void
print_checked(const struct call_rule *rule)
{
    printf(",\n    {\n      \"names\": [\"%s\"],\n      \"action\": \"SCMP_ACT_ALLOW\",\n"
           "      \"args\": [",
           rule->name);
    for (size_t i = 0; i < CALL_CHECKS_MAX && rule->checks[i].kind != CALL_CHECK_NONE; i++) {
        printf("%s\n        ", i > 0 ? "," : "");
        print_check(&rule->checks[i]);
    }
    printf("\n      ]\n    }");
}

static void
print_allowed(const struct profile *profile)
{
    const char *separator = "";

    printf("    {\n      \"names\": [");
    for (size_t i = 0; i < profile->count; i++)
        if (!is_same_name_as_before(profile, i) && is_name_free(profile, profile->rules[i]->name)) {
            printf("%s\n        \"%s\"", separator, profile->rules[i]->name);
            separator = ",";
        }
    printf("\n      ],\n      \"action\": \"SCMP_ACT_ALLOW\"\n    }");
    for (size_t i = 0; i < profile->count; i++)
        if (!is_name_free(profile, profile->rules[i]->name))
            print_checked(profile->rules[i]);
}

static void
print_profile(const struct profile *profile)
{
    /* A runtime that does not know defaultErrnoRet takes EPERM. */
    printf("{\n  \"defaultAction\": \"SCMP_ACT_ERRNO\",\n  \"defaultErrnoRet\": %d,\n"
           "  \"architectures\": [\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_AARCH64\"],\n"
           "  \"syscalls\": [\n",
           ENOSYS);
    print_allowed(profile);
    for (size_t i = 0; i < absent_call_count; i++)
        printf(",\n    {\n      \"names\": [\"%s\"],\n      \"action\": \"SCMP_ACT_ERRNO\",\n"
               "      \"errnoRet\": %d\n    }",
               absent_calls[i], ENOSYS);
    printf("\n  ]\n}\n");
}

int
main(void)
{
    struct profile profile = {.count = 0};

    profile.rules = calloc(container_call_count + daemon_call_count + zygote_call_count,
                           sizeof(*profile.rules));
    if (profile.rules == NULL)
        return 1;
    collect(&profile);
    print_profile(&profile);
    free(profile.rules);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
