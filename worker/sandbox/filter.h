/*
 * The system call filters of the zygote and of job processes: the rows of zygote_calls.def and of
 * allowed_calls.def, all else kills (see denied_call.h). Both are built once, which allocates, and
 * before the module is loaded; later they are only installed.
 */
#ifndef RETORT_SANDBOX_FILTER_H
#define RETORT_SANDBOX_FILTER_H

#include "common/err.h"

/* The descriptor under which a job process has its socket. */
#define JOB_SOCKET_FD 0

/* Compiles the tables. Once, before the other two. */
int filter_build(struct err *err);
/* Each puts its filter in force for this process, for good. Need no_new_privs. Safe after fork. */
int filter_install_zygote(struct err *err);
int filter_install(struct err *err);

#endif
