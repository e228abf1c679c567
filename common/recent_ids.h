/* The last ids of jobs that something was said about. Zeroed: none. */
#ifndef RETORT_RECENT_IDS_H
#define RETORT_RECENT_IDS_H

#include <stdbool.h>

#include "common/job.h"

#define RECENT_IDS 64

struct recent_ids {
    char ids[RECENT_IDS][JOB_ID_SIZE]; /* "": free */
    unsigned next;
};

/* Forgets the oldest. What is no id is ignored. */
void recent_ids_add(struct recent_ids *recent, const char *id);
/* Whether it is one of them; then it is no longer. */
bool recent_ids_take(struct recent_ids *recent, const char *id);

#endif
