#include "common/redis_url.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define DEFAULT_PORT 6379
#define MAX_DB       65535

static int
bad_url(struct err *err, const char *what)
{
    return err_set(err, ERR_CONFIG, 0,
                   "REDIS_URL: %s; it is redis://[user:password@]host:port/db or "
                   "unix:///path/to/socket",
                   what);
}

static int
hex_value(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) % 16 : -1;
}

/* Percent-decodes size bytes into a string of its own; an empty one or a NUL in it is refused. */
static int
decode(char **out, const char *text, size_t size, const char *what, struct err *err)
{
    char *to = malloc(size + 1);
    if (!to)
        return err_set(err, ERR_SYSTEM, 0, "no memory for REDIS_URL");
    *out = to;
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '%') {
            *to++ = text[i];
            continue;
        }
        int high = i + 2 < size ? hex_value(text[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low < 0 || high * 16 + low == 0)
            return bad_url(err, "a % is not followed by two hexadecimal digits");
        *to++ = (char)(high * 16 + low);
        i += 2;
    }
    *to = '\0';
    return to == *out ? bad_url(err, what) : 0;
}

static int
parse_number(const char *text, size_t size, uint32_t maximum, uint32_t *value)
{
    uint32_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        n = n * 10 + (uint32_t)(text[i] - '0');
        if (n > maximum)
            return -1;
    }
    *value = n;
    return size > 0 ? 0 : -1;
}

/* "user:password", ":password"; a lone word is a password, as older servers have no users. */
static int
parse_credentials(struct redis_url *url, const char *text, size_t size, struct err *err)
{
    const char *colon = memchr(text, ':', size);
    size_t user_size = colon ? (size_t)(colon - text) : 0;
    if (user_size > 0 && decode(&url->user, text, user_size, "an empty user", err) < 0)
        return -1;
    size_t skip = colon ? user_size + 1 : 0;
    return decode(&url->password, text + skip, size - skip, "an empty password", err);
}

static int
parse_db(struct redis_url *url, const char *text, size_t size, struct err *err)
{
    if (parse_number(text, size, MAX_DB, &url->db) < 0)
        return bad_url(err, "the database is not a number from 0 to 65535");
    return 0;
}

/* host, host:port, [v6], [v6]:port */
static int
parse_host(struct redis_url *url, const char *text, size_t size, struct err *err)
{
    const char *end = text + size, *host = text, *host_end;
    if (size > 0 && *text == '[') {
        host = text + 1;
        host_end = memchr(host, ']', size - 1);
        if (!host_end)
            return bad_url(err, "a [ without its ]");
        text = host_end + 1;
    } else {
        host_end = memchr(text, ':', size);
        host_end = host_end ? host_end : end;
        text = host_end;
    }
    uint32_t port = DEFAULT_PORT;
    if (text < end &&
        (*text != ':' || parse_number(text + 1, (size_t)(end - text - 1), UINT16_MAX, &port) < 0 ||
         port == 0))
        return bad_url(err, "the port is not a number from 1 to 65535");
    url->port = (uint16_t)port;
    return decode(&url->host, host, (size_t)(host_end - host), "a host is missing", err);
}

static int
parse_tcp(struct redis_url *url, const char *text, struct err *err)
{
    size_t size = strcspn(text, "/");
    if (parse_host(url, text, size, err) < 0)
        return -1;
    const char *db = text + size;
    if (db[0] == '\0' || db[1] == '\0')
        return 0;
    return parse_db(url, db + 1, strlen(db + 1), err);
}

static int
parse_unix(struct redis_url *url, const char *text, struct err *err)
{
    size_t size = strcspn(text, "?");
    if (*text != '/')
        return bad_url(err, "the socket's path does not start with /");
    if (decode(&url->path, text, size, "a path is missing", err) < 0)
        return -1;
    if (strlen(url->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return bad_url(err, "the socket's path is longer than 107 bytes");
    const char *query = text + size;
    if (*query == '\0')
        return 0;
    if (strncmp(query, "?db=", 4) != 0)
        return bad_url(err, "after ? only db=N is known");
    return parse_db(url, query + 4, strlen(query + 4), err);
}

static int
parse(struct redis_url *url, const char *text, struct err *err)
{
    static const char tcp[] = "redis://", local[] = "unix://", tls[] = "rediss://",
                      sentinel[] = "redis+sentinel://";
    if (strncmp(text, tls, sizeof(tls) - 1) == 0)
        return err_set(err, ERR_CONFIG, 0,
                       "REDIS_URL: rediss:// (TLS) is not supported; put stunnel beside this "
                       "program and name its end by redis:// (docs/OPERATIONS.md has the recipe)");
    if (strncmp(text, sentinel, sizeof(sentinel) - 1) == 0)
        return err_set(err, ERR_CONFIG, 0,
                       "REDIS_URL: Sentinels are not asked yet; name the master by redis://");
    bool is_tcp = strncmp(text, tcp, sizeof(tcp) - 1) == 0;
    if (!is_tcp && strncmp(text, local, sizeof(local) - 1) != 0)
        return bad_url(err, "it does not start with redis:// or unix://");
    text += is_tcp ? sizeof(tcp) - 1 : sizeof(local) - 1;
    /* The last @ before the path: a password may hold an unencoded one. */
    const char *at = memrchr(text, '@', strcspn(text, "/"));
    if (at && parse_credentials(url, text, (size_t)(at - text), err) < 0)
        return -1;
    text = at ? at + 1 : text;
    return is_tcp ? parse_tcp(url, text, err) : parse_unix(url, text, err);
}

int
redis_url_parse(struct redis_url *url, const char *text, struct err *err)
{
    *url = (struct redis_url){0};
    if (parse(url, text, err) == 0)
        return 0;
    redis_url_fini(url);
    return -1;
}

void
redis_url_fini(struct redis_url *url)
{
    if (url->password)
        explicit_bzero(url->password, strlen(url->password));
    free(url->path);
    free(url->host);
    free(url->user);
    free(url->password);
    *url = (struct redis_url){0};
}
