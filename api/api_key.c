#include "api/api_key.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define TOKEN_CHARACTERS   LETTERS_AND_DIGITS "-._~+/="
#define LABEL_CHARACTERS   LETTERS_AND_DIGITS "._-"
#define TOKEN_MOST         256
#define FIELDS_MOST        5

struct span {
    const char *data;
    size_t size;
};

/* Where an entry stands, for sentences: "API_KEYS, entry 2". */
struct place {
    const char *source, *unit;
    size_t number;
};

static int
refuse(const struct place *place, const char *what, struct err *err)
{
    return err_set(err, ERR_CONFIG, 0, "%s, %s %zu: %s", place->source, place->unit, place->number,
                   what);
}

static bool
consists_of(struct span span, const char *characters)
{
    for (size_t i = 0; i < span.size; i++)
        if (span.data[i] == '\0' || !strchr(characters, span.data[i]))
            return false;
    return true;
}

static bool
equals(struct span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.data, text, span.size) == 0;
}

/* Without the blanks around it. */
static struct span
trim(struct span span)
{
    while (span.size > 0 && strchr(" \t\r\n", span.data[0]) && span.data[0])
        span.data++, span.size--;
    while (span.size > 0 && strchr(" \t\r\n", span.data[span.size - 1]) && span.data[span.size - 1])
        span.size--;
    return span;
}

/* The part before the next separator; rest moves behind it, or ends with data NULL. */
static struct span
next_part(struct span *rest, char separator)
{
    const char *end = memchr(rest->data, separator, rest->size);
    struct span part = {rest->data, end ? (size_t)(end - rest->data) : rest->size};

    *rest = end ? (struct span){end + 1, rest->size - part.size - 1} : (struct span){NULL, 0};
    return part;
}

/* Number of fields between colons; FIELDS_MOST + 1 when there are more. */
static size_t
split(struct span entry, struct span fields[FIELDS_MOST])
{
    size_t count = 0;

    while (entry.data) {
        struct span field = next_part(&entry, ':');
        if (count == FIELDS_MOST)
            return FIELDS_MOST + 1;
        fields[count++] = field;
    }
    return count;
}

/* ---- fields ---- */

/* Digits, with up to `decimals` more behind a point: the number times 10^decimals. */
static bool
read_number(struct span span, unsigned decimals, uint64_t most, uint64_t *number)
{
    uint64_t value = 0, scale = 1;
    bool point = false;
    unsigned behind = 0, before = 0;

    for (unsigned i = 0; i < decimals; i++)
        scale *= 10;
    for (size_t i = 0; i < span.size; i++) {
        char c = span.data[i];
        if (c == '.' && !point && before > 0 && decimals > 0) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || (point && behind == decimals) || before + behind > 12)
            return false;
        value = value * 10 + (uint64_t)(c - '0');
        behind += point;
        before += !point;
    }
    for (unsigned i = behind; i < decimals; i++)
        value *= 10;
    *number = value;
    return before > 0 && (!point || behind > 0) && value > 0 && value <= most * scale;
}

static void
hash_token(const char *token, size_t size, char hash[DIGEST_HEX_SIZE])
{
    struct digest digest;

    digest_begin(&digest);
    digest_add(&digest, token, size);
    digest_end(&digest, hash);
}

static bool
read_hash(struct span hex, char hash[DIGEST_HEX_SIZE])
{
    if (hex.size != DIGEST_HEX_SIZE - 1 || !consists_of(hex, "0123456789abcdefABCDEF"))
        return false;
    for (size_t i = 0; i < hex.size; i++)
        hash[i] = (char)tolower((unsigned char)hex.data[i]);
    hash[hex.size] = '\0';
    return true;
}

/* label, rps, burst. */
static int
read_common(const struct place *place, const struct span fields[3], struct api_key *key,
            struct err *err)
{
    uint64_t number;

    if (fields[0].size == 0 || fields[0].size >= sizeof(key->label) ||
        !consists_of(fields[0], LABEL_CHARACTERS))
        return refuse(place, "the label is not 1 to 64 of A-Z a-z 0-9 . _ -", err);
    if (equals(fields[0], "anonymous"))
        return refuse(place, "the label \"anonymous\" is for requests without a key", err);
    memcpy(key->label, fields[0].data, fields[0].size);
    key->label[fields[0].size] = '\0';
    if (!read_number(fields[1], 3, API_KEY_RPS_MOST, &number))
        return refuse(place, "the rate (rps) is not a number from 0.001 to 100000", err);
    key->rate_milli = (uint32_t)number;
    if (!read_number(fields[2], 0, API_KEY_BURST_MOST, &number))
        return refuse(place, "the burst is not a whole number from 1 to 1000000", err);
    key->burst = (uint32_t)number;
    return 0;
}

static int
read_plain(const struct place *place, struct span entry, struct api_key *key, struct err *err)
{
    struct span fields[FIELDS_MOST];

    if (split(entry, fields) != 4)
        return refuse(place, "it is not token:label:rps:burst", err);
    if (fields[0].size == 0 || fields[0].size > TOKEN_MOST ||
        !consists_of(fields[0], TOKEN_CHARACTERS))
        return refuse(place, "the token is not 1 to 256 of A-Z a-z 0-9 - . _ ~ + / =", err);
    hash_token(fields[0].data, fields[0].size, key->hash);
    return read_common(place, fields + 1, key, err);
}

static int
read_hashed(const struct place *place, struct span entry, struct api_key *key, struct err *err)
{
    struct span fields[FIELDS_MOST];

    if (split(entry, fields) != 5 || !equals(fields[0], "sha256"))
        return refuse(place, "it is not sha256:<hash>:label:rps:burst", err);
    if (!read_hash(fields[1], key->hash))
        return refuse(place, "the hash is not 64 hexadecimal digits", err);
    return read_common(place, fields + 2, key, err);
}

/* ---- the list ---- */

static const char *
fault_beside(const struct api_keys *keys, const struct api_key *key)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct api_key *other = keys->list[i];
        if (strcmp(other->hash, key->hash) == 0)
            return "its token is that of another key";
        if (strcmp(other->label, key->label) == 0 &&
            (other->rate_milli != key->rate_milli || other->burst != key->burst))
            return "another key with its label has another rate";
    }
    return keys->count == API_KEYS_MOST ? "more than 4096 keys" : NULL;
}

static int
append(struct api_keys *keys, const struct api_key *key, struct err *err)
{
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity ? keys->capacity * 2 : 16;
        struct api_key **list = realloc(keys->list, capacity * sizeof(*list));
        if (!list)
            return err_set(err, ERR_SYSTEM, 0, "no memory for keys");
        keys->list = list;
        keys->capacity = capacity;
    }
    struct api_key *copy = malloc(sizeof(*copy));
    if (!copy)
        return err_set(err, ERR_SYSTEM, 0, "no memory for a key");
    *copy = *key;
    copy->holders = 1;
    keys->list[keys->count++] = copy;
    return 0;
}

static int
take(struct api_keys *keys, const struct place *place, struct api_key *key, struct err *err)
{
    const char *fault = fault_beside(keys, key);

    return fault ? refuse(place, fault, err) : append(keys, key, err);
}

int
api_keys_parse_setting(struct api_keys *keys, const char *text, struct err *err)
{
    struct place place = {"API_KEYS", "entry", 0};
    struct span rest = {text, strlen(text)};

    while (rest.data) {
        struct api_key key = {.label = ""};
        struct span entry = trim(next_part(&rest, ','));
        place.number++;
        if (read_plain(&place, entry, &key, err) < 0 || take(keys, &place, &key, err) < 0)
            return -1;
    }
    return 0;
}

int
api_keys_parse_file(struct api_keys *keys, const char *text, size_t size, struct err *err)
{
    struct place place = {"API_KEYS_FILE", "line", 0};
    struct span rest = {text, size};

    while (rest.data) {
        struct api_key key = {.label = ""};
        struct span line = next_part(&rest, '\n');
        place.number++;
        line = trim(next_part(&line, '#'));
        if (line.size == 0)
            continue;
        if (read_hashed(&place, line, &key, err) < 0 || take(keys, &place, &key, err) < 0)
            return -1;
    }
    return 0;
}

/* 0: the same. Without a branch, as many may have to be compared for one request. */
static uint64_t
difference(const char a[DIGEST_HEX_SIZE], const char b[DIGEST_HEX_SIZE])
{
    uint64_t all = 0, one, other;

    for (size_t i = 0; i + sizeof(one) < DIGEST_HEX_SIZE; i += sizeof(one)) {
        memcpy(&one, a + i, sizeof(one));
        memcpy(&other, b + i, sizeof(other));
        all |= one ^ other;
    }
    return all;
}

struct api_key *
api_keys_find(const struct api_keys *keys, const char *token, size_t size)
{
    char hash[DIGEST_HEX_SIZE];
    size_t number = 0; /* from 1 */

    hash_token(token, size, hash);
    for (size_t i = 0; i < keys->count; i++)
        number |= (i + 1) * (difference(keys->list[i]->hash, hash) == 0);
    if (number == 0 || !digest_equal(keys->list[number - 1]->hash, hash, sizeof(hash)))
        return NULL;
    return keys->list[number - 1];
}

void
api_keys_fini(struct api_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        api_key_release(keys->list[i]);
    free(keys->list);
    *keys = (struct api_keys){.count = 0};
}

struct api_key *
api_key_hold(struct api_key *key)
{
    key->holders++;
    return key;
}

void
api_key_release(struct api_key *key)
{
    if (key && --key->holders == 0)
        free(key);
}
