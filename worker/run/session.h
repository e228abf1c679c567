/* One job, from a started zygote to its result. */
#ifndef RETORT_RUN_SESSION_H
#define RETORT_RUN_SESSION_H

#include <stdbool.h>

#include "common/err.h"
#include "common/job.h"
#include "worker/isolation.h"
#include "worker/run/input.h"
#include "worker/zygote.h"

struct run_session {
    const struct zygote_command *command;
    const struct run_input *input;
    const struct isolation_requirement *required; /* looked at before the program starts */
    struct job_limits limits;
    bool artifacts; /* what is left in /work/outputs is wanted */
    bool stream;    /* copy output to ours as it grows; else it is only in the result */
};

/* Runs it to its end. *result is the caller's. -1: it could not even be tried. */
int run_session(const struct run_session *session, struct result *result, struct err *err);

#endif
