/*
 * The rehearsal: before the zygote says READY it runs one program of the image's own, in a process
 * like any job's but without its filter, to learn which pages every job is going to need.
 */
#ifndef RETORT_SANDBOX_REHEARSAL_H
#define RETORT_SANDBOX_REHEARSAL_H

#include <stdbool.h>

#include "worker/sandbox/pages.h"

/*
 * Runs text as /work/main.py. True in the process that rehearses: it goes on into the guest and
 * ends in job_exit(). False in the zygote, when that process has ended; *pages then has what it
 * learned, or NULL when that is nothing: a rehearsal that fails costs speed and no more.
 */
bool rehearsal_run(const char *text, bool replace_args, const struct page_list **pages);

#endif
