/* The zygote gives up what it was started with. Its children inherit the result. */
#ifndef RETORT_SANDBOX_LOCKDOWN_H
#define RETORT_SANDBOX_LOCKDOWN_H

#include <stdint.h>

#include "common/err.h"

/* Descriptors, signals, privileges; uid 0 keeps the identity. Once, before anything else. */
int lockdown_zygote(uint32_t uid, struct err *err);
/* From here on no process of the same user may look into this one. Once, at the fork point. */
int lockdown_hide(struct err *err);

#endif
