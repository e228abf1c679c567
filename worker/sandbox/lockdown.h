/*
 * What the zygote's program does about its own isolation. The greater part was done before it was
 * started (worker/stage.h). Its children inherit the result.
 */
#ifndef RETORT_SANDBOX_LOCKDOWN_H
#define RETORT_SANDBOX_LOCKDOWN_H

#include "common/err.h"

/* Descriptors, signals, death with the worker. Once, before anything else. */
int lockdown_zygote(struct err *err);
/* From here on no process of the same user may look into this one. Once, at the fork point. */
int lockdown_hide(struct err *err);

#endif
