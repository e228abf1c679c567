/*
 * Keys of clients, as settings write them. In memory there is only the SHA-256 of a token.
 *
 *     API_KEYS        token:label:rps:burst, separated by commas
 *     API_KEYS_FILE   sha256:<64 hex>:label:rps:burst, one a line; # begins a comment
 *
 * token: 1 to 256 of A-Z a-z 0-9 - . _ ~ + / =. label: 1 to 64 of A-Z a-z 0-9 . _ -, other than
 * "anonymous"; several keys may share one, to replace a key by another, and have its rate then.
 * rps: requests a second, up to three decimals. burst: requests at once.
 */
#ifndef RETORT_API_KEY_H
#define RETORT_API_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/err.h"

#define API_KEY_LABEL_SIZE 65
#define API_KEYS_MOST      4096
#define API_KEY_RPS_MOST   100000
#define API_KEY_BURST_MOST 1000000

struct api_key {
    char label[API_KEY_LABEL_SIZE]; /* owner of what is made with it; the only name in logs */
    char hash[DIGEST_HEX_SIZE];     /* SHA-256 of the token */
    uint32_t rate_milli;            /* requests in 1000 s */
    uint32_t burst;
    unsigned holders;
};

struct api_keys {
    struct api_key **list; /* each held */
    size_t count, capacity;
};

/*
 * Both append. -1: ERR_CONFIG with a sentence that names the entry by its number and repeats
 * nothing of it; what was appended before it stays.
 */
int api_keys_parse_setting(struct api_keys *keys, const char *text, struct err *err);
int api_keys_parse_file(struct api_keys *keys, const char *text, size_t size, struct err *err);
/*
 * The key of a token, NULL when there is none. Takes as long whichever it is. Borrowed from keys,
 * unless api_key_hold() is called.
 */
struct api_key *api_keys_find(const struct api_keys *keys, const char *token, size_t size);
void api_keys_fini(struct api_keys *keys);

/* Keeps a key beyond the list that it is in. */
struct api_key *api_key_hold(struct api_key *key);
/* NULL is nothing. */
void api_key_release(struct api_key *key);

#endif
