#include "worker/sandbox/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/sandbox/filter_internal.h"
#include "worker/sandbox/limits.h"

#define UNWRAP(...) __VA_ARGS__
#define ANY                                                                                        \
    {                                                                                              \
        .kind = CALL_CHECK_NONE                                                                    \
    }
#define ARG_IS(n, wanted)                                                                          \
    {                                                                                              \
        .kind = CALL_CHECK_IS, .argument = (n), .value = (wanted)                                  \
    }
#define ARG_MASKED(n, bits, wanted)                                                                \
    {                                                                                              \
        .kind = CALL_CHECK_MASKED, .argument = (n), .mask = (bits), .value = (wanted)              \
    }

const struct allowed_call allowed_calls[] = {
#define ALLOWED_CALL(call, row_checks, why)                                                        \
    {.number = SYS_##call, .name = #call, .reason = why, .checks = {UNWRAP row_checks}},
#include "worker/sandbox/allowed_calls.def"
#undef ALLOWED_CALL
};
const size_t allowed_call_count = sizeof(allowed_calls) / sizeof(allowed_calls[0]);

static struct sock_fprog program;

static int
add_row(scmp_filter_ctx filter, const struct allowed_call *row)
{
    struct scmp_arg_cmp compare[ALLOWED_CALL_CHECKS_MAX];
    unsigned count = 0;

    for (; count < ALLOWED_CALL_CHECKS_MAX; count++) {
        const struct call_check *check = &row->checks[count];
        if (check->kind == CALL_CHECK_NONE)
            break;
        /* An equality has its value first, a masked one its mask. */
        compare[count] = (struct scmp_arg_cmp){
            .arg = check->argument,
            .op = check->kind == CALL_CHECK_IS ? SCMP_CMP_EQ : SCMP_CMP_MASKED_EQ,
            .datum_a = check->kind == CALL_CHECK_IS ? check->value : check->mask,
            .datum_b = check->value,
        };
    }
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, row->number, count, compare);
}

/* Reads the compiled filter back from the file that libseccomp wrote it to. */
static int
keep_program(int fd, struct err *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0 || status.st_size == 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot read the system call filter");
    struct sock_filter *code = malloc((size_t)status.st_size);
    if (code == NULL || pread(fd, code, (size_t)status.st_size, 0) != status.st_size) {
        free(code);
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot read the system call filter");
    }
    program.filter = code;
    program.len = (unsigned short)((size_t)status.st_size / sizeof(*code));
    return 0;
}

static int
compile(scmp_filter_ctx filter, struct err *err)
{
    int code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    /* 2: a binary tree instead of a list. */
    if (code == 0)
        code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (size_t i = 0; code == 0 && i < allowed_call_count; i++)
        code = add_row(filter, &allowed_calls[i]);
    if (code < 0)
        return err_set(err, ERR_SANDBOX_ERROR, -code, "cannot build the system call filter");
    int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot export the system call filter");
    code = seccomp_export_bpf(filter, fd);
    int result =
        code < 0 ? err_set(err, ERR_SANDBOX_ERROR, -code, "cannot export the system call filter")
                 : keep_program(fd, err);
    close(fd);
    return result;
}

int
filter_build(struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (filter == NULL)
        return err_set(err, ERR_SANDBOX_ERROR, ENOMEM, "cannot start the system call filter");
    int result = compile(filter, err);
    seccomp_release(filter);
    return result;
}

int
filter_install(struct err *err)
{
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot install the system call filter");
    return 0;
}
