#include "common/call_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int
add_rule(scmp_filter_ctx context, const struct call_rule *rule)
{
    struct scmp_arg_cmp compare[CALL_CHECKS_MAX];
    unsigned count = 0;

    for (; count < CALL_CHECKS_MAX; count++) {
        const struct call_check *check = &rule->checks[count];
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
    return seccomp_rule_add_array(context, SCMP_ACT_ALLOW, rule->number, count, compare);
}

/* Reads the compiled filter back from the file that libseccomp wrote it to. */
static int
read_program(struct call_filter *filter, int fd, struct err *err)
{
    struct stat status;

    if (fstat(fd, &status) < 0 || status.st_size == 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot read the system call filter");
    struct sock_filter *code = malloc((size_t)status.st_size);
    if (code == NULL || pread(fd, code, (size_t)status.st_size, 0) != status.st_size) {
        free(code);
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot read the system call filter");
    }
    filter->code = code;
    filter->length = (unsigned short)((size_t)status.st_size / sizeof(*code));
    return 0;
}

static int
export_program(struct call_filter *filter, scmp_filter_ctx context, struct err *err)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);

    if (fd < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot export the system call filter");
    int code = seccomp_export_bpf(context, fd);
    int result =
        code < 0 ? err_set(err, ERR_SANDBOX_ERROR, -code, "cannot export the system call filter")
                 : read_program(filter, fd, err);
    close(fd);
    return result;
}

static int
compile(struct call_filter *filter, scmp_filter_ctx context, const struct call_rule *rules,
        size_t count, struct err *err)
{
    int code = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    /* 2: a binary tree instead of a list. */
    if (code == 0)
        code = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = add_rule(context, &rules[i]);
    if (code < 0)
        return err_set(err, ERR_SANDBOX_ERROR, -code, "cannot build the system call filter");
    return export_program(filter, context, err);
}

int
call_filter_build(struct call_filter *filter, const struct call_rule *rules, size_t count,
                  enum call_otherwise otherwise, struct err *err)
{
    scmp_filter_ctx context =
        seccomp_init(otherwise == CALL_OTHERWISE_TRAP ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(ENOSYS));

    *filter = (struct call_filter)CALL_FILTER_INIT;
    if (context == NULL)
        return err_set(err, ERR_SANDBOX_ERROR, ENOMEM, "cannot start the system call filter");
    int result = compile(filter, context, rules, count, err);
    seccomp_release(context);
    return result;
}

int
call_filter_install(const struct call_filter *filter, struct err *err)
{
    struct sock_fprog program = {.len = filter->length, .filter = filter->code};

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        return err_set(err, ERR_SANDBOX_ERROR, errno, "cannot install the system call filter");
    return 0;
}

int
call_filter_install_logged(const struct call_filter *filter, struct err *err)
{
    struct sock_fprog program = {.len = filter->length, .filter = filter->code};

    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &program) == 0)
        return 0;
    return call_filter_install(filter, err);
}

void
call_filter_fini(struct call_filter *filter)
{
    free(filter->code);
    *filter = (struct call_filter)CALL_FILTER_INIT;
}

void
call_name(int number, char name[CALL_NAME_SIZE])
{
    /* Below 0 lie numbers of the library's own. */
    char *known = number < 0 ? NULL : seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

    if (known != NULL)
        (void)snprintf(name, CALL_NAME_SIZE, "%s", known);
    else
        (void)snprintf(name, CALL_NAME_SIZE, "number %d", number);
    free(known);
}
