#include "api/file_store.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/log.h"

/* After the last process was there, a service may come back with another directory. */
#define CLAIM_SEC (40 * 86400)

REDIS_SCRIPT_EMBED_TWO(storage_claim_text, "api/scripts/files_common.lua",
                       "api/scripts/storage_claim.lua");

/* ---- the address that links begin with ---------------------------------------------------- */

/* Nobody can go to "any address"; whoever listens on it listens on loopback, too. */
static const char *
reachable(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static void
find_address(struct file_store *store, int listen_fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    char host[128] = "", port[16] = "";

    if (getsockname(listen_fd, (struct sockaddr *)&address, &size) < 0 ||
        getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    const char *name = reachable(host);
    snprintf(store->listening, sizeof(store->listening),
             strchr(name, ':') ? "http://[%s]:%s" : "http://%s:%s", name, port);
}

/* ---- beginning and end -------------------------------------------------------------------- */

static int
check_base_url(const char *url, struct err *err)
{
    bool web = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;

    for (const char *at = url; *at; at++)
        if (*at <= ' ' || *at == 0x7f || strchr("\"<>\\^`{|}?#", *at))
            web = false;
    if (url[0] == '\0' || (web && strlen(url) < 200))
        return 0;
    return err_set(err, ERR_CONFIG, 0,
                   "PUBLIC_BASE_URL must begin with http:// or https://, without query, blanks and "
                   "fragment.");
}

static int
open_all(struct file_store *store, const struct file_store_options *options, struct err *err)
{
    const struct config *config = options->config;

    if (check_base_url(config->public_base_url, err) < 0)
        return -1;
    store->storage = storage_open(config->storage_dir, err);
    if (!store->storage)
        return -1;
    const char *key =
        config->signing_key[0] ? config->signing_key : storage_signing_key(store->storage);
    if (sign_keys_init(&store->keys, key, config->signing_key_old, err) < 0)
        return -1;
    store->sweep.storage = store->storage;
    store->sweep.prefix = config->redis_prefix;
    store->sweep.rest_sec = config->storage_sweep_sec;
    return 0;
}

struct file_store *
file_store_new(const struct file_store_options *options, struct err *err)
{
    struct file_store *store = calloc(1, sizeof(*store));

    if (!store) {
        err_set(err, ERR_SYSTEM, 0, "out of memory for the storage");
        return NULL;
    }
    store->config = options->config;
    store->on_foreign = options->on_foreign;
    store->context = options->context;
    store->claim = (struct redis_script)REDIS_SCRIPT_INIT(storage_claim_text);
    file_records_init(&store->records, NULL, options->config->redis_prefix);
    store->records.quota_bytes = options->config->storage_quota_bytes;
    store->records.quota_files = options->config->storage_quota_files;
    find_address(store, options->listen_fd);
    if (storage_sweep_init(&store->sweep, options->base, err) == 0 &&
        open_all(store, options, err) == 0)
        return store;
    file_store_free(store);
    return NULL;
}

void
file_store_connect(struct file_store *store, struct redis_connection *records)
{
    store->connection = store->records.connection = store->sweep.connection = records;
}

void
file_store_free(struct file_store *store)
{
    if (!store)
        return;
    storage_sweep_fini(&store->sweep);
    redis_script_fini(&store->claim);
    file_records_fini(&store->records);
    storage_close(store->storage);
    free(store);
}

/* ---- whose directory this is -------------------------------------------------------------- */

static void
on_claimed(void *context, const struct redis_reply *reply, const struct err *err)
{
    struct file_store *store = context;
    struct err foreign = ERR_INIT;
    size_t size;
    const char *id = redis_reply_bytes(reply, &size);

    if (err || !id) { /* the next connection asks again */
        if (err)
            log_err(LOG_WARNING, "storage_not_claimed", err);
        return;
    }
    if (size == strlen(storage_id(store->storage)) &&
        memcmp(id, storage_id(store->storage), size) == 0) {
        store->claimed = true;
        storage_sweep_begin(&store->sweep);
        return;
    }
    err_set(&foreign, ERR_CONFIG, 0,
            "STORAGE_DIR is %.100s, of id %.8s, but other API processes of this service share "
            "another one, of id %.*s.",
            store->config->storage_dir, storage_id(store->storage), size < 8 ? (int)size : 8, id);
    store->on_foreign(store->context, &foreign);
}

void
file_store_on_up(struct file_store *store)
{
    struct redis_command command;
    struct err err = ERR_INIT;

    redis_script_begin(&store->claim, &command);
    redis_command_add_text(&command, store->config->redis_prefix);
    redis_command_add_text(&command, storage_id(store->storage));
    redis_command_add_int(&command, CLAIM_SEC);
    if (!redis_script_send(&store->claim, store->connection, &command, on_claimed, store, &err))
        log_err(LOG_WARNING, "storage_not_claimed", &err);
}
