/* The hash of a job: what changes about it (docs/PROTOCOL.md). */
#ifndef RETORT_RECORD_H
#define RETORT_RECORD_H

#include "admin/report.h"
#include "admin/session.h"

struct record {
    bool known;
    char state[32]; /* also "no record", "foreign record" */
    char language[JOB_LANGUAGE_SIZE], owner[JOB_WORKER_SIZE];
    /* -1: not known. Redis's clock. */
    int64_t attempts, max_attempts, epoch, submitted_us, claimed_us, start_by_ms, answer_by_ms;
};

/* Asks; *record is filled when the session has waited. */
void record_ask(struct session *session, const char *id, struct record *record);
/* Microseconds from the one clock as a cell of milliseconds since; none when not known. */
void record_report_since(struct report *report, const char *name, int64_t us, int64_t now_us);
/* Milliseconds that are left until then; none when not known. */
void record_report_left(struct report *report, const char *name, int64_t ms, int64_t now_us);
void record_report_int(struct report *report, const char *name, int64_t value);

#endif
