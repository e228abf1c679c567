/*
 * The system call filter of job processes: the rows of allowed_calls.def, all else kills (see
 * denied_call.h). The zygote builds it once, which allocates; job processes only install it.
 */
#ifndef RETORT_SANDBOX_FILTER_H
#define RETORT_SANDBOX_FILTER_H

#include "common/err.h"

/* The descriptor under which a job process has its socket. */
#define JOB_SOCKET_FD 0

/* Compiles the table. Once, before any filter_install(). */
int filter_build(struct err *err);
/* Puts it in force for this process, for good. Needs no_new_privs. Safe after fork. */
int filter_install(struct err *err);

#endif
