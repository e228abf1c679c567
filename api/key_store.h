/*
 * The keys that are in force: those of API_KEYS, and those of API_KEYS_FILE as it is now. The file
 * is looked at once a second; one that cannot be read or understood is logged and leaves those in
 * force that it had before.
 */
#ifndef RETORT_KEY_STORE_H
#define RETORT_KEY_STORE_H

#include <stdbool.h>

#include <event2/event.h>

#include "api/api_key.h"
#include "common/config.h"

struct key_store;

/* Whether the settings ask for keys at all. Without, whoever gets in is anonymous. */
bool key_store_wanted(const struct config *config);
/* Reads both. config is borrowed. NULL and err: a fault in either, or no memory. */
struct key_store *key_store_new(const struct config *config, struct err *err);
/* Looks at the file at once, and then once a second from base's loop. */
int key_store_watch(struct key_store *store, struct event_base *base, struct err *err);
/* Before the loop is freed. NULL is nothing. */
void key_store_unwatch(struct key_store *store);
/* As api_keys_find(). */
struct api_key *key_store_find(const struct key_store *store, const char *token, size_t size);
size_t key_store_count(const struct key_store *store);
/* NULL is nothing. */
void key_store_free(struct key_store *store);

#endif
