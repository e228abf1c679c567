/* Between redis.c and redis_reply.c. */
#ifndef RETORT_REDIS_INTERNAL_H
#define RETORT_REDIS_INTERNAL_H

#include "common/err.h"

/* What an error reply means to people, and whether trying again may help. text is Redis's own. */
int redis_error_describe(const char *text, struct err *err);

#endif
