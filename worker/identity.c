#include "worker/identity.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define ALLOWED                                                                                    \
    "abcdefghijklmnopqrstuvwxyz"                                                                   \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                                                   \
    "0123456789._-"
#define HOST_LENGTH_MAX 32 /* leaves room for the process id and the random part */

/* The host's name up to its first character that a name may not have. */
static void
host_name(char *host, size_t size)
{
    if (gethostname(host, size) < 0)
        host[0] = '\0';
    host[size - 1] = '\0';
    host[strspn(host, ALLOWED)] = '\0';
    if (!host[0])
        (void)snprintf(host, size, "worker");
}

int
worker_identity(char *id, const char *given, struct err *err)
{
    char host[HOST_LENGTH_MAX + 1];
    uint32_t chance;

    if (*given) {
        if (strlen(given) >= JOB_WORKER_SIZE || given[strspn(given, ALLOWED)])
            return err_set(err, ERR_CONFIG, 0,
                           "WORKER_ID: %.80s: at most %d letters, digits, '.', '_' and '-'", given,
                           JOB_WORKER_SIZE - 1);
        memcpy(id, given, strlen(given) + 1);
        return 0;
    }
    if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
        return err_set(err, ERR_SYSTEM, errno, "reading random bytes");
    host_name(host, sizeof(host));
    (void)snprintf(id, JOB_WORKER_SIZE, "%s-%ld-%08x", host, (long)getpid(), chance);
    return 0;
}
