/*
 * What is known of files and artifacts, in Redis (api/scripts/file_*.lua): whose they are, until
 * when, and which content is theirs. Each operation is one script, so a quota is never exceeded and
 * a record never half there.
 *
 *     call = file_records_get(records, FILE_KIND_FILE, id, on_record, context, &err);
 *     file_call_forget(call);          whoever waited is gone; not after the answer
 */
#ifndef RETORT_FILE_RECORDS_H
#define RETORT_FILE_RECORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "api/storage.h"
#include "common/redis_script.h"

#define FILE_ID_SIZE    38 /* "file_" or "art_", 32 hexadecimal digits, and NUL */
#define FILE_OWNER_SIZE 129
#define FILE_NAME_SIZE  1025
#define FILE_LABEL_SIZE 65
#define FILE_TYPE_SIZE  256
#define FILE_PAGE_MOST  100

enum file_kind { FILE_KIND_FILE, FILE_KIND_ARTIFACT };

struct file_record {
    char id[FILE_ID_SIZE];
    char owner[FILE_OWNER_SIZE];
    char name[FILE_NAME_SIZE];   /* as its client or program called it; never a path of ours */
    char label[FILE_LABEL_SIZE]; /* of a file its purpose, of an artifact its run */
    char type[FILE_TYPE_SIZE];   /* media type, by whoever sent it; not to be believed */
    struct storage_blob blob;
    uint64_t created_ms, expires_ms; /* since the epoch */
};

/* record NULL and err NULL: there is none. Both are borrowed for the call. */
typedef void file_record_fn(void *context, const struct file_record *record, const struct err *err);
/* records NULL and err NULL: the cursor is unknown. */
typedef void file_page_fn(void *context, const struct file_record *records, size_t count,
                          bool has_more, const struct err *err);

struct file_call;

enum file_script {
    FILE_SCRIPT_PUT,
    FILE_SCRIPT_GET,
    FILE_SCRIPT_LIST,
    FILE_SCRIPT_DELETE,
    FILE_SCRIPT_COUNT
};

struct file_records {
    struct redis_connection *connection; /* borrowed */
    const char *prefix;                  /* of every key, borrowed */
    uint64_t quota_bytes, quota_files;   /* of an owner */
    struct redis_script scripts[FILE_SCRIPT_COUNT];
    LIST_HEAD(file_calls, file_call) calls; /* under way */
};

void file_records_init(struct file_records *records, struct redis_connection *connection,
                       const char *prefix);
/* After the connection is freed; calls nobody. */
void file_records_fini(struct file_records *records);

/* A new id, of FILE_ID_SIZE. */
int file_new_id(enum file_kind kind, char *id, struct err *err);
/* Is it one that file_new_id() could have made? */
bool file_is_id(enum file_kind kind, const char *id);

struct file_put {
    enum file_kind kind;
    const struct file_record *record; /* its times are not looked at */
    uint64_t ttl_sec;
};

struct file_page {
    const char *owner;
    const char *after; /* an id, or "" */
    bool oldest_first;
    unsigned most; /* up to FILE_PAGE_MOST */
};

/*
 * All copy what they need, and return NULL with err set when the call could not be made; the
 * function is called once otherwise, never before they return. put answers with the record and its
 * times, or TOO_LARGE beyond the quota. delete is for the owner: what is another's is not there. A
 * content whose record is gone is removed later (api/storage_sweep.h).
 */
struct file_call *file_records_put(struct file_records *records, const struct file_put *put,
                                   file_record_fn *on_record, void *context, struct err *err);
struct file_call *file_records_get(struct file_records *records, enum file_kind kind,
                                   const char *id, file_record_fn *on_record, void *context,
                                   struct err *err);
struct file_call *file_records_list(struct file_records *records, const struct file_page *page,
                                    file_page_fn *on_page, void *context, struct err *err);
struct file_call *file_records_delete(struct file_records *records, const char *owner,
                                      const char *id, file_record_fn *on_record, void *context,
                                      struct err *err);
void file_call_forget(struct file_call *call);

#endif
