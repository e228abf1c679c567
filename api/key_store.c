#include "api/key_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

#define LOOK_INTERVAL_S 1
#define FILE_MOST_BYTES (1 << 20)

struct key_store {
    const struct config *config;
    struct api_keys keys;
    struct stat seen; /* of the file, whether it was good or not */
    int seen_errno;   /* why there was none; 0 */
    struct event *timer;
};

bool
key_store_wanted(const struct config *config)
{
    return (config->api_keys && config->api_keys[0]) ||
           (config->api_keys_file && config->api_keys_file[0]);
}

/* ---- reading ---- */

static int
read_all(int fd, size_t size, char *text, struct err *err)
{
    for (size_t have = 0; have < size;) {
        ssize_t got = read(fd, text + have, size - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_CONFIG, errno, "API_KEYS_FILE cannot be read");
        if (got == 0)
            return err_set(err, ERR_CONFIG, 0, "API_KEYS_FILE is being written");
        have += (size_t)got;
    }
    return 0;
}

static int
parse_descriptor(int fd, const struct stat *stat, struct api_keys *keys, struct err *err)
{
    if (!S_ISREG(stat->st_mode))
        return err_set(err, ERR_CONFIG, 0, "API_KEYS_FILE is not an ordinary file");
    if (stat->st_size > FILE_MOST_BYTES)
        return err_set(err, ERR_CONFIG, 0, "API_KEYS_FILE is larger than 1 MiB");
    size_t size = (size_t)stat->st_size;
    char *text = malloc(size + 1);
    if (!text)
        return err_set(err, ERR_SYSTEM, 0, "no memory for API_KEYS_FILE");
    int rc = read_all(fd, size, text, err);
    if (rc == 0)
        rc = api_keys_parse_file(keys, text, size, err);
    free(text);
    return rc;
}

/* ---- changes ---- */

static bool
is_as_seen(const struct key_store *store, const struct stat *now, int now_errno)
{
    const struct stat *seen = &store->seen;

    if (now_errno || store->seen_errno)
        return now_errno == store->seen_errno;
    return now->st_dev == seen->st_dev && now->st_ino == seen->st_ino &&
           now->st_size == seen->st_size && now->st_mtim.tv_sec == seen->st_mtim.tv_sec &&
           now->st_mtim.tv_nsec == seen->st_mtim.tv_nsec &&
           now->st_ctim.tv_sec == seen->st_ctim.tv_sec &&
           now->st_ctim.tv_nsec == seen->st_ctim.tv_nsec;
}

/* Keys of the settings, and those of the file at fd (-1: no file is wanted). */
static int
read_both(struct key_store *store, int fd, struct err *err)
{
    struct api_keys keys = {.count = 0};
    const char *setting = store->config->api_keys;

    if ((setting && setting[0] && api_keys_parse_setting(&keys, setting, err) < 0) ||
        (fd >= 0 && parse_descriptor(fd, &store->seen, &keys, err) < 0)) {
        api_keys_fini(&keys);
        return -1;
    }
    api_keys_fini(&store->keys);
    store->keys = keys;
    return 0;
}

/* 1: read anew; 0: as it was; -1. */
static int
look(struct key_store *store, struct err *err)
{
    const char *path = store->config->api_keys_file;
    struct stat now = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int now_errno = fd < 0 || fstat(fd, &now) < 0 ? errno : 0;
    int rc = 0;

    if (!is_as_seen(store, &now, now_errno)) {
        store->seen = now;
        store->seen_errno = now_errno;
        rc = now_errno ? err_set(err, ERR_CONFIG, now_errno, "API_KEYS_FILE %s", path)
                       : read_both(store, fd, err);
        rc = rc < 0 ? -1 : 1;
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

static void
on_timer(evutil_socket_t fd, short events, void *context)
{
    struct key_store *store = context;
    struct err err = ERR_INIT;
    (void)fd;
    (void)events;

    switch (look(store, &err)) {
    case 1:
        LOG(LOG_INFO, "keys_read", {"count", LOG_UINT(store->keys.count)});
        break;
    case -1:
        log_err(LOG_ERROR, "keys_kept", &err);
        break;
    }
}

/* ---- */

struct key_store *
key_store_new(const struct config *config, struct err *err)
{
    struct key_store *store = calloc(1, sizeof(*store));

    if (!store) {
        err_set(err, ERR_SYSTEM, 0, "no memory for keys");
        return NULL;
    }
    store->config = config;
    bool file = config->api_keys_file && config->api_keys_file[0];
    if ((file ? look(store, err) : read_both(store, -1, err)) < 0) {
        key_store_free(store);
        return NULL;
    }
    return store;
}

int
key_store_watch(struct key_store *store, struct event_base *base, struct err *err)
{
    const struct timeval interval = {.tv_sec = LOOK_INTERVAL_S};

    if (!store->config->api_keys_file || !store->config->api_keys_file[0])
        return 0;
    on_timer(-1, 0, store);
    store->timer = event_new(base, -1, EV_PERSIST, on_timer, store);
    if (!store->timer || event_add(store->timer, &interval) < 0)
        return err_set(err, ERR_SYSTEM, 0, "API_KEYS_FILE cannot be watched");
    return 0;
}

void
key_store_unwatch(struct key_store *store)
{
    if (store && store->timer)
        event_free(store->timer);
    if (store)
        store->timer = NULL;
}

struct api_key *
key_store_find(const struct key_store *store, const char *token, size_t size)
{
    return api_keys_find(&store->keys, token, size);
}

size_t
key_store_count(const struct key_store *store)
{
    return store->keys.count;
}

void
key_store_free(struct key_store *store)
{
    if (!store)
        return;
    key_store_unwatch(store);
    api_keys_fini(&store->keys);
    free(store);
}
