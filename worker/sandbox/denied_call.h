/*
 * A system call that the filter refuses ends the process, and leaves its number behind.
 *
 * The filter traps it (SIGSYS), so that what it was can be noted; the handler then makes a call
 * for which every filter of ours kills without asking. What holds this in a process that is
 * no longer ours to trust:
 *
 *     SIGSYS is blocked                     the kernel takes the default action: death
 *     another handler                       rt_sigaction is not in the table
 *     no stack for the handler              SIGSEGV, for whose handler there is none either: death
 *     a fault in the handler                all signals are blocked in it: death
 *     return from the handler               it has no return; its code is not writable
 */
#ifndef RETORT_SANDBOX_DENIED_CALL_H
#define RETORT_SANDBOX_DENIED_CALL_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/err.h"

/* Handles SIGSYS, on the signal stack if there is one. Once, in the zygote; forks inherit it. */
int denied_call_watch(struct err *err);
/* Where this process's goes, as its number plus 1. Until then to the worker, as FAILED. */
void denied_call_note_in(_Atomic uint32_t *note);

#endif
