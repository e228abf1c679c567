/*
 * Artifacts of runs: kept for ARTIFACT_TTL_SEC and served to whoever has a signed link.
 *
 *     call = artifact_store(app, owner, run_id, &result->artifacts, &to, &err);
 *     artifact_store_forget(call);             whoever waited is gone; not after on_stored()
 *
 *     artifact_put_url(&body, exchange, id, expires);    a link, for an answer to exchange
 */
#ifndef RETORT_ARTIFACT_STORE_H
#define RETORT_ARTIFACT_STORE_H

#include "api/exchange.h"
#include "api/file_records.h"
#include "common/artifact.h"

struct app;
struct artifact_store_call;

/* One of the artifacts, in their order. */
struct stored_artifact {
    char id[FILE_ID_SIZE];
    char sha256[DIGEST_HEX_SIZE];
    const char *content_type; /* what it is served as; static */
    uint64_t expires_ms;      /* since the epoch */
    enum err_code fault;      /* ERR_NONE: it is stored; otherwise only this is valid */
};

struct artifact_store_to {
    /* Once, never before artifact_store() returns. list is borrowed for the call. */
    void (*on_stored)(void *context, const struct stored_artifact *list, size_t count);
    void *context;
};

/* Is there a store in this process? Without one artifacts only come inline. */
bool artifact_store_is_there(const struct app *app);
/*
 * Writes the contents, which blocks for that, and asks Redis to know them. Borrows all for the call
 * only. An artifact that does not fit the quota, or the disk, is told by its fault: the others
 * are stored. NULL: none is; also when there are none.
 */
struct artifact_store_call *artifact_store(struct app *app, const char *owner, const char *run_id,
                                           const struct artifacts *artifacts,
                                           const struct artifact_store_to *to, struct err *err);
void artifact_store_forget(struct artifact_store_call *call);

/*
 * Appends PUBLIC_BASE_URL/v1/artifacts/{id}?expires=...&signature=..., which needs no escaping in
 * JSON. Without that setting: the request's Host when it is a loopback one, else the address that
 * is listened on.
 */
void artifact_put_url(struct buffer *out, const struct exchange *exchange, const char *id,
                      uint64_t expires_ms);
/* GET /v1/artifacts/{id}?expires=...&signature=... */
void artifact_handle(struct exchange *exchange);

#endif
