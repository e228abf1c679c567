/* Prints as JSON what the tests in Python take from the sandbox's own tables and headers. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "worker/job_memory.h"
#include "worker/sandbox/filter_internal.h"
#include "worker/sandbox/limits.h"

static void
print_checks(const struct call_rule *rule)
{
    for (int i = 0; i < CALL_CHECKS_MAX && rule->checks[i].kind != CALL_CHECK_NONE; i++) {
        const struct call_check *check = &rule->checks[i];
        uint64_t mask = check->kind == CALL_CHECK_IS ? UINT64_MAX : check->mask;
        printf("%s{\"argument\": %u, \"mask\": %" PRIu64 ", \"value\": %" PRIu64 "}",
               i > 0 ? ", " : "", check->argument, mask, check->value);
    }
}

static void
print_offsets(void)
{
#define OFFSET(field) printf("\"" #field "\": %zu, ", offsetof(struct job_memory_header, field))
    printf("\"offsets\": {");
    OFFSET(total_bytes);
    OFFSET(input_offset);
    OFFSET(output_offset);
    OFFSET(output_capacity);
    OFFSET(output);
    OFFSET(note);
    OFFSET(exit_code);
    OFFSET(denied_call);
    OFFSET(artifact_offset);
    OFFSET(artifact_capacity);
    OFFSET(artifact_bytes);
    OFFSET(artifacts_refused);
    OFFSET(artifacts_done);
    OFFSET(text);
    printf("\"end\": %zu},\n", sizeof(struct job_memory_header));
#undef OFFSET
}

static void
print_rules(const char *name, const struct call_rule *rules, size_t count)
{
    printf("\"%s\": [\n", name);
    for (size_t i = 0; i < count; i++) {
        const struct call_rule *rule = &rules[i];
        printf("%s{\"number\": %d, \"name\": \"%s\", \"checks\": [", i > 0 ? ",\n" : "",
               rule->number, rule->name);
        print_checks(rule);
        printf("]}");
    }
    printf("],\n");
}

int
main(void)
{
    printf("{");
    print_rules("rules", job_calls, job_call_count);
    print_rules("zygote_rules", zygote_calls, zygote_call_count);
    print_offsets();
    printf("\"host_data_bytes\": %" PRIu64 ",\n", SANDBOX_HOST_DATA_BYTES);
    printf("\"stack_bytes\": %" PRIu64 "}\n", SANDBOX_STACK_BYTES);
    return 0;
}
