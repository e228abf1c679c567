/* link: tests/unit/common/golden.c */
/* Golden files in golden/ were written by another encoder, from docs/PROTOCOL.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/codec.h"
#include "tests/unit/common/golden.h"

#define GOLDEN_ID "0123456789abcdef0123456789abcdef"
#define CODE                                                                                       \
    "print('gr\xc3\xbc\xc3\x9f"                                                                    \
    "e')\n"
#define INPUT      "a\0\xff"
#define INPUT_SIZE 3

static struct job
golden_job(void)
{
    struct job job = {.id = GOLDEN_ID,
                      .language = "python",
                      .limits = {.timeout_ms = 5000,
                                 .cpu_ms = 2000,
                                 .memory_mb = 256,
                                 .output_bytes = 1000000,
                                 .work_bytes = 67108864,
                                 .work_files = 10000,
                                 .artifacts = 64,
                                 .artifact_bytes = 8388608,
                                 .artifacts_total_bytes = 16777216}};
    assert_int_equal(bytes_copy(&job.code, CODE, strlen(CODE)), 0);
    assert_int_equal(bytes_copy(&job.input, INPUT, INPUT_SIZE), 0);
    return job;
}

static void
assert_packs_as_golden(bool with_input, const char *name)
{
    struct file file = read_golden(name);
    struct job job = golden_job();
    struct bytes packed;
    struct err err = ERR_INIT;
    assert_int_equal(codec_pack_job(&job, with_input, &packed, &err), 0);
    assert_true(packed.size < file.size);
    assert_memory_equal(packed.data, file.data + file.size - packed.size, packed.size);
    bytes_fini(&packed);
    job_fini(&job);
}

static void
test_a_job_packs_to_the_golden_bytes(void **state)
{
    (void)state;
    assert_packs_as_golden(true, "v1-element-limits");
    assert_packs_as_golden(false, "v1-element-limits-without-input");
}

static void
test_a_job_that_wants_events_says_so(void **state)
{
    struct file file = read_golden("v1-element-events");
    struct job job, wanted = golden_job();
    struct bytes packed;
    bool has_input = false;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(codec_unpack_element(file.data, file.size, &job, &has_input, &err), 0);
    assert_true(job.events && has_input);
    wanted.events = true;
    assert_int_equal(codec_pack_job(&wanted, true, &packed, &err), 0);
    assert_memory_equal(packed.data, file.data + file.size - packed.size, packed.size);
    bytes_fini(&packed);
    job_fini(&job);
    job_fini(&wanted);
}

static void
test_a_job_tells_the_request_that_it_came_with(void **state)
{
    struct file file = read_golden("v1-element-request-id");
    struct job job, wanted = golden_job();
    struct bytes packed;
    bool has_input = false;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(codec_unpack_element(file.data, file.size, &job, &has_input, &err), 0);
    assert_string_equal(job.request_id, "req-1.:=");
    strcpy(wanted.request_id, job.request_id);
    assert_int_equal(codec_pack_job(&wanted, true, &packed, &err), 0);
    assert_memory_equal(packed.data, file.data + file.size - packed.size, packed.size);
    bytes_fini(&packed);
    job_fini(&job);
    job_fini(&wanted);
}

static void
test_the_golden_element_is_understood(void **state)
{
    struct file file = read_golden("v1-element");
    struct job job;
    bool has_input = false;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(codec_unpack_element(file.data, file.size, &job, &has_input, &err), 0);
    assert_true(has_input);
    assert_string_equal(job.id, GOLDEN_ID);
    assert_string_equal(job.language, "python");
    assert_int_equal(job.limits.timeout_ms, 5000);
    assert_int_equal(job.limits.cpu_ms, 2000);
    assert_int_equal(job.limits.memory_mb, 256);
    assert_int_equal(job.limits.output_bytes, 1000000);
    assert_int_equal(job.start_by_ms, 1790000010000);
    assert_int_equal(job.answer_by_ms, 1790000017000);
    /* Its client asked for none of these, so it gets what the worker allows. */
    assert_int_equal(job.limits.work_bytes, UINT32_MAX);
    assert_int_equal(job.limits.work_files, UINT32_MAX);
    assert_int_equal(job.limits.artifacts_total_bytes, UINT32_MAX);
    assert_bytes(&job.code, CODE, strlen(CODE));
    assert_bytes(&job.input, INPUT, INPUT_SIZE);
    job_fini(&job);
}

static void
test_limits_that_came_later_are_understood(void **state)
{
    struct file file = read_golden("v1-element-limits");
    struct job job, expected = golden_job();
    bool has_input = false;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(codec_unpack_element(file.data, file.size, &job, &has_input, &err), 0);
    assert_true(has_input);
    assert_memory_equal(&job.limits, &expected.limits, sizeof(job.limits));
    job_fini(&job);
    job_fini(&expected);
}

static void
test_artifacts_and_what_was_refused_are_understood_and_packed_again(void **state)
{
    struct file file = read_golden("v1-result-artifacts");
    struct result result;
    struct bytes packed;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(codec_unpack_result(file.data, file.size, &result, &err), 0);
    assert_int_equal(result.linear_memory_peak_bytes, 20316160);
    assert_int_equal(result.artifacts.count, 3);
    assert_string_equal(result.artifacts.list[0].name.data, "a.csv");
    assert_bytes(&result.artifacts.list[0].data, "x\n", 2);
    assert_string_equal(result.artifacts.list[1].name.data, "deep/gr\xc3\xbc\xc3\x9f"
                                                            "e.png");
    assert_bytes(&result.artifacts.list[1].data, "\x89PNG\0", 5);
    assert_bytes(&result.artifacts.list[2].data, NULL, 0);
    assert_int_equal(result.artifacts.refused_count, 2);
    assert_string_equal(result.artifacts.refused[0].name.data, "big");
    assert_int_equal(result.artifacts.refused[0].size, 9000000);
    assert_int_equal(result.artifacts.refused[0].fault, ARTIFACT_FAULT_TOO_LARGE);
    assert_int_equal(result.artifacts.refused[1].fault, ARTIFACT_FAULT_LINK);
    assert_int_equal(result.artifacts.refused_total, 7);
    assert_int_equal(codec_pack_result(&result, &packed, &err), 0);
    assert_bytes(&packed, (const char *)file.data, file.size);
    bytes_fini(&packed);
    result_fini(&result);
}

static void
test_large_input_comes_from_the_golden_blob(void **state)
{
    struct file element = read_golden("v1-element-without-input"), blob = read_golden("v1-blob");
    struct job job, original = golden_job();
    struct bytes packed;
    bool has_input = true;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(codec_unpack_element(element.data, element.size, &job, &has_input, &err), 0);
    assert_false(has_input);
    assert_int_equal(codec_unpack_blob(blob.data, blob.size, &job, &err), 0);
    assert_bytes(&job.code, CODE, strlen(CODE));
    assert_bytes(&job.input, INPUT, INPUT_SIZE);
    assert_int_equal(codec_pack_blob(&original, &packed, &err), 0);
    assert_bytes(&packed, (const char *)blob.data, blob.size);
    bytes_fini(&packed);
    job_fini(&job);
    job_fini(&original);
}

static void
test_the_golden_result_is_understood_and_packed_again(void **state)
{
    struct file file = read_golden("v1-result");
    struct result result;
    struct bytes packed;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(codec_unpack_result(file.data, file.size, &result, &err), 0);
    assert_string_equal(result.id, GOLDEN_ID);
    assert_int_equal(result.error, ERR_NONE);
    assert_int_equal(result.verdict, VERDICT_CRASHED);
    assert_string_equal(result.detail, "trap: unreachable");
    assert_string_equal(result.worker, "host-1");
    assert_int_equal(result.exit_code, -1);
    assert_int_equal(result.term_signal, 11);
    assert_bytes(&result.out.kept, "out\xff", 4);
    assert_int_equal(result.out.dropped_bytes, 7);
    assert_bytes(&result.err.kept, NULL, 0);
    assert_int_equal(result.queue_us, 812);
    assert_int_equal(result.exec_us, 70000);
    assert_int_equal(result.cpu_us, 1234567);
    assert_int_equal(result.memory_peak_bytes, 5000000000);
    assert_int_equal(result.minor_faults, 146);
    assert_int_equal(codec_pack_result(&result, &packed, &err), 0);
    assert_bytes(&packed, (const char *)file.data, file.size);
    bytes_fini(&packed);
    result_fini(&result);
}

static void
test_an_error_that_a_script_published_needs_no_run(void **state)
{
    struct file file = read_golden("v1-result-error");
    struct result result;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(codec_unpack_result(file.data, file.size, &result, &err), 0);
    assert_int_equal(result.error, ERR_WORKER_LOST);
    assert_int_equal(result.verdict, VERDICT_NONE);
    result_fini(&result);
}

/* Every message that our golden ones can be damaged into is refused or read, never worse. */
typedef int unpack_fn(const unsigned char *data, size_t size);

static int
unpack_element(const unsigned char *data, size_t size)
{
    struct job job;
    bool has_input;
    struct err err = ERR_INIT;
    int rc = codec_unpack_element(data, size, &job, &has_input, &err);
    assert_int_equal(err.code == ERR_NONE, rc == 0);
    if (rc == 0)
        job_fini(&job);
    return rc;
}

static int
unpack_blob(const unsigned char *data, size_t size)
{
    struct job job = {.language = "x"};
    struct err err = ERR_INIT;
    int rc = codec_unpack_blob(data, size, &job, &err);
    assert_int_equal(err.code == ERR_NONE, rc == 0);
    job_fini(&job);
    return rc;
}

static int
unpack_result(const unsigned char *data, size_t size)
{
    struct result result;
    struct err err = ERR_INIT;
    int rc = codec_unpack_result(data, size, &result, &err);
    assert_int_equal(err.code == ERR_NONE, rc == 0);
    if (rc == 0)
        result_fini(&result);
    return rc;
}

static const struct {
    const char *name;
    unpack_fn *unpack;
} messages[] = {
    {"v1-element", unpack_element},     {"v1-element-without-input", unpack_element},
    {"v1-blob", unpack_blob},           {"v1-result", unpack_result},
    {"v1-result-error", unpack_result}, {"v1-element-limits", unpack_element},
    {"v2-blob-files", unpack_blob},     {"v1-result-artifacts", unpack_result},
};
#define MESSAGE_COUNT (sizeof(messages) / sizeof(messages[0]))

/* A heap copy of its exact size, so that a sanitizer sees every read beyond it. */
static int
unpack_copy(unpack_fn *unpack, const unsigned char *data, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    int rc = unpack(copy, size);
    free(copy);
    return rc;
}

static void
test_a_message_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        struct file file = read_golden(messages[i].name);
        for (size_t size = 0; size < file.size; size++)
            assert_int_equal(unpack_copy(messages[i].unpack, file.data, size), -1);
        file.data[file.size] = 0xc0;
        assert_int_equal(unpack_copy(messages[i].unpack, file.data, file.size + 1), -1);
    }
}

static void
test_every_value_in_every_byte_is_survived(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        struct file file = read_golden(messages[i].name);
        for (size_t at = 0; at < file.size; at++) {
            unsigned char kept = file.data[at];
            for (unsigned value = 0; value < 256; value++) {
                file.data[at] = (unsigned char)value;
                (void)unpack_copy(messages[i].unpack, file.data, file.size);
            }
            file.data[at] = kept;
        }
    }
}

static void
test_every_version_but_this_one_is_refused_by_its_number(void **state)
{
    struct file file = read_golden("v1-element");
    struct job job;
    bool has_input;
    struct err err = ERR_INIT;
    (void)state;
    file.data[1] = 2;
    assert_int_equal(codec_unpack_element(file.data, file.size, &job, &has_input, &err), -1);
    assert_int_equal(err.code, ERR_PROTOCOL);
    assert_non_null(strstr(err.text, "version 2"));
}

#define MSG(text) ((const unsigned char *)(text)), sizeof(text) - 1

static void
test_lengths_that_a_message_cannot_hold_are_refused_before_anything_is_allocated(void **state)
{
    (void)state;
    assert_int_equal(unpack_element(MSG("\xdd\xff\xff\xff\xff\x01")), -1);
    assert_int_equal(unpack_result(MSG("\xdf\xff\xff\xff\xff\x01")), -1);
    assert_int_equal(unpack_blob(MSG("\x93\x01\xc6\xff\xff\xff\xff")), -1);
    assert_int_equal(unpack_blob(MSG("\x93\x01\xdb\xff\xff\xff\xff")), -1);
    assert_int_equal(unpack_element(MSG("\xdc\xff\xff\x01")), -1);
    assert_int_equal(unpack_element(MSG("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01")), -1);
    assert_int_equal(unpack_result(MSG("\xc7\x01\x05x")), -1);
    assert_int_equal(unpack_result(MSG("")), -1);
}

static void
test_unknown_fields_are_ignored_and_missing_ones_refused(void **state)
{
    static const char known[] = "\x86\xa1v\x01\xa2id\xa1"
                                "a\xa5"
                                "error\xaaqueue_full\xa7verdict\xa4none\xa6"
                                "detail\xa0\xa6worker\xa0";
    char message[sizeof(known) + 8];
    (void)state;
    memcpy(message, known, sizeof(known));
    assert_int_equal(unpack_result(MSG(known)), 0);
    memcpy(message + sizeof(known) - 1, "\xa3new\x91\x07", 6);
    message[0] = '\x87';
    assert_int_equal(unpack_result((unsigned char *)message, sizeof(known) - 1 + 6), 0);
    memcpy(message, known, sizeof(known));
    message[0] = '\x85'; /* the last one is left out */
    assert_int_equal(unpack_result((unsigned char *)message, sizeof(known) - 1 - 8), -1);
}

static void
test_a_result_says_either_error_or_verdict(void **state)
{
    struct result both = {.id = "a", .error = ERR_WORKER_LOST, .verdict = VERDICT_EXITED};
    struct result neither = {.id = "a"};
    struct bytes packed;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(codec_pack_result(&both, &packed, &err), 0);
    assert_int_equal(unpack_result((unsigned char *)packed.data, packed.size), -1);
    bytes_fini(&packed);
    assert_int_equal(codec_pack_result(&neither, &packed, &err), 0);
    assert_int_equal(unpack_result((unsigned char *)packed.data, packed.size), -1);
    bytes_fini(&packed);
}

static void
test_every_number_keeps_its_extremes(void **state)
{
    struct result result = {.id = "a",
                            .verdict = VERDICT_EXITED,
                            .exit_code = INT32_MIN,
                            .term_signal = INT32_MAX,
                            .queue_us = UINT64_MAX,
                            .minor_faults = UINT32_MAX};
    struct result back;
    struct bytes packed;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(codec_pack_result(&result, &packed, &err), 0);
    assert_int_equal(codec_unpack_result(packed.data, packed.size, &back, &err), 0);
    assert_int_equal(back.exit_code, INT32_MIN);
    assert_int_equal(back.term_signal, INT32_MAX);
    assert_true(back.queue_us == UINT64_MAX);
    assert_true(back.minor_faults == UINT32_MAX);
    bytes_fini(&packed);
    result_fini(&back);
}

static void
test_a_large_stream_comes_back_whole(void **state)
{
    struct result result = {.id = "a", .verdict = VERDICT_EXITED}, back;
    struct bytes packed;
    struct err err = ERR_INIT;
    size_t size = 3000000;
    char *data = malloc(size);
    (void)state;
    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 31);
    assert_int_equal(bytes_copy(&result.out.kept, data, size), 0);
    assert_int_equal(codec_pack_result(&result, &packed, &err), 0);
    assert_int_equal(codec_unpack_result(packed.data, packed.size, &back, &err), 0);
    assert_bytes(&back.out.kept, data, size);
    bytes_fini(&packed);
    result_fini(&result);
    result_fini(&back);
    free(data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_job_packs_to_the_golden_bytes),
        cmocka_unit_test(test_a_job_that_wants_events_says_so),
        cmocka_unit_test(test_a_job_tells_the_request_that_it_came_with),
        cmocka_unit_test(test_the_golden_element_is_understood),
        cmocka_unit_test(test_limits_that_came_later_are_understood),
        cmocka_unit_test(test_artifacts_and_what_was_refused_are_understood_and_packed_again),
        cmocka_unit_test(test_large_input_comes_from_the_golden_blob),
        cmocka_unit_test(test_the_golden_result_is_understood_and_packed_again),
        cmocka_unit_test(test_an_error_that_a_script_published_needs_no_run),
        cmocka_unit_test(test_a_message_cut_anywhere_is_refused),
        cmocka_unit_test(test_every_value_in_every_byte_is_survived),
        cmocka_unit_test(test_every_version_but_this_one_is_refused_by_its_number),
        cmocka_unit_test(
            test_lengths_that_a_message_cannot_hold_are_refused_before_anything_is_allocated),
        cmocka_unit_test(test_unknown_fields_are_ignored_and_missing_ones_refused),
        cmocka_unit_test(test_a_result_says_either_error_or_verdict),
        cmocka_unit_test(test_every_number_keeps_its_extremes),
        cmocka_unit_test(test_a_large_stream_comes_back_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
