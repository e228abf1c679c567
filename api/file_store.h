/*
 * Files and artifacts of a service: contents on disk (storage.h), what is known of them in Redis
 * (file_records.h), links (sign.h), and cleaning up. One for a process; NULL without STORAGE_DIR.
 */
#ifndef RETORT_FILE_STORE_H
#define RETORT_FILE_STORE_H

#include <event2/event.h>

#include "api/file_records.h"
#include "api/sign.h"
#include "api/storage.h"
#include "api/storage_sweep.h"
#include "common/config.h"

struct app;

struct file_store {
    struct storage *storage;
    struct file_records records;
    struct sign_keys keys;
    struct storage_sweep sweep;
    struct redis_script claim;
    struct redis_connection *connection; /* of records, borrowed */
    const struct config *config;         /* borrowed */
    char listening[300];                 /* "http://127.0.0.1:8000", where clients are taken */
    bool claimed;                        /* Redis knows this directory as the service's */
    void (*on_foreign)(void *context, const struct err *err);
    void *context;
};

struct file_store_options {
    const struct config *config; /* borrowed, with a storage_dir */
    struct event_base *base;
    int listen_fd; /* for the address; not kept */
    /* The service's directory is another one: this process must not serve. */
    void (*on_foreign)(void *context, const struct err *err);
    void *context;
};

/* Opens the directory; it blocks. file_store_free(), after the connection is freed. */
struct file_store *file_store_new(const struct file_store_options *options, struct err *err);
/* Before anything else that takes a store. */
void file_store_connect(struct file_store *store, struct redis_connection *records);
/* The connection is up: asks whether this is the service's directory, and begins to clean up. */
void file_store_on_up(struct file_store *store);
void file_store_free(struct file_store *store);

#endif
