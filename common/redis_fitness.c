#include "common/redis_fitness.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_SIZE  64
/* BLMOVE, and expiry at a time: PXAT. */
#define LEAST_MAJOR 6
#define LEAST_MINOR 2

/* The value of a line "name:value"; false when there is none. */
static bool
find(const char *info, const char *name, char value[VALUE_SIZE])
{
    size_t length = strlen(name);
    for (const char *line = info; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) != 0 || line[length] != ':')
            continue;
        const char *text = line + length + 1;
        snprintf(value, VALUE_SIZE, "%.*s", (int)strcspn(text, "\r\n"), text);
        return true;
    }
    return false;
}

static bool
says(const char *info, const char *name, const char *what)
{
    char value[VALUE_SIZE];
    return find(info, name, value) && strcmp(value, what) == 0;
}

static int
check_version(const char *info, struct err *err)
{
    char version[VALUE_SIZE];
    char *rest;
    if (!find(info, "redis_version", version))
        return 0;
    unsigned long major = strtoul(version, &rest, 10);
    unsigned long minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;
    if (major > LEAST_MAJOR || (major == LEAST_MAJOR && minor >= LEAST_MINOR))
        return 0;
    return err_set(err, ERR_CONFIG, 0,
                   "REDIS_URL: the server is Redis %s; version %d.%d or later is needed", version,
                   LEAST_MAJOR, LEAST_MINOR);
}

static int
check_mode(const char *info, struct err *err)
{
    if (says(info, "redis_mode", "cluster") || says(info, "cluster_enabled", "1"))
        return err_set(err, ERR_CONFIG, 0,
                       "REDIS_URL: the server runs in Cluster mode, in which the queue's scripts "
                       "cannot work; use one server, with a replica for when it fails");
    if (says(info, "redis_mode", "sentinel"))
        return err_set(err, ERR_CONFIG, 0,
                       "REDIS_URL: the server is a Sentinel, which holds no data; name the Redis "
                       "server itself");
    if (says(info, "role", "slave"))
        return err_set(
            err, ERR_CONFIG, 0,
            "REDIS_URL: the server is a replica, which takes no writes; name its master");
    return 0;
}

static int
check_eviction(const char *info, struct err *err)
{
    char policy[VALUE_SIZE];
    if (says(info, "maxmemory", "0") || !find(info, "maxmemory_policy", policy) ||
        strcmp(policy, "noeviction") == 0)
        return 0;
    return err_set(
        err, ERR_CONFIG, 0,
        "REDIS_URL: the server's maxmemory-policy %s may drop jobs when memory is short; "
        "set it to noeviction",
        policy);
}

static int
check_connections(const char *info, uint32_t connections, struct err *err)
{
    char text[VALUE_SIZE];
    if (!find(info, "maxclients", text) || strtoul(text, NULL, 10) >= connections)
        return 0;
    return err_set(err, ERR_CONFIG, 0,
                   "REDIS_URL: the server takes %s connections (maxclients), and this program may "
                   "need %u; raise that, or lower MAX_IN_FLIGHT",
                   text, (unsigned)connections);
}

int
redis_fitness_check(const char *info, uint32_t connections, struct err *err)
{
    if (check_version(info, err) < 0 || check_mode(info, err) < 0 || check_eviction(info, err) < 0)
        return -1;
    return check_connections(info, connections, err);
}
