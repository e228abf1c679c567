/* The name that a worker has in the queue and in results. */
#ifndef RETORT_IDENTITY_H
#define RETORT_IDENTITY_H

#include "common/err.h"
#include "common/job.h"

/*
 * given when it is not empty, else host name, process id and a random part, so that no two
 * workers share one, on whatever hosts. id has JOB_WORKER_SIZE bytes. -1: given is too long or
 * has characters other than letters, digits, '.', '_' and '-'.
 */
int worker_identity(char *id, const char *given, struct err *err);

#endif
