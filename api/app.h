/* What the handlers share. Made by main.c, lives as long as the process. */
#ifndef RETORT_APP_H
#define RETORT_APP_H

#include <event2/event.h>

#include "api/code_patterns.h"
#include "api/fleet_metrics.h"
#include "api/gate.h"
#include "api/probe.h"
#include "api/usage.h"
#include "common/config.h"
#include "common/languages.h"
#include "common/queue.h"
#include "common/redis.h"
#include "common/redis_script.h"

struct runs;
struct file_store;

struct app {
    const struct config *config;
    struct languages languages; /* that /readyz wants to be served */
    const struct code_patterns *patterns;
    struct event_base *base;
    struct queue_client *queue;
    struct redis_connection *records; /* keys, usage and what else stays; beside the queue's */
    struct gate gate;
    struct usage usage;
    struct runs *runs;        /* of /v1/runs */
    struct file_store *files; /* NULL: there is no STORAGE_DIR */
    struct probe probe;
    struct fleet_metrics fleet_metrics;
    struct redis_script fleet_workers; /* of fleet_page.h */
};

#endif
