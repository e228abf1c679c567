/* What the program left in /work/outputs, into the memory shared with the worker. */
#ifndef RETORT_SANDBOX_ARTIFACTS_H
#define RETORT_SANDBOX_ARTIFACTS_H

#include "worker/job_memory.h"

/*
 * At the end of the program, also on the signal stack: makes no system call, takes nothing from the
 * heap. Touches no memory when nothing was left. before: called once, if something was.
 */
void artifacts_collect(struct job_memory_header *shared, void (*before)(void));

#endif
