#include "api/loopback.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool
is_port_or_end(const char *text)
{
    if (*text == '\0')
        return true;
    if (*text++ != ':')
        return false;
    size_t digits = strspn(text, "0123456789");
    return digits >= 1 && digits <= 5 && text[digits] == '\0';
}

static bool
is_loopback_address(const char *text, size_t size)
{
    char address[INET_ADDRSTRLEN];
    struct in_addr parsed;

    if (size >= sizeof(address))
        return false;
    memcpy(address, text, size);
    address[size] = '\0';
    return inet_pton(AF_INET, address, &parsed) == 1 && ntohl(parsed.s_addr) >> 24 == 127;
}

bool
loopback_is_host(const char *host)
{
    size_t size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    bool good;

    if (host[0] == '[')
        good = strncmp(host, "[::1]", 5) == 0;
    else
        good = (size == 9 && strncasecmp(host, "localhost", 9) == 0) ||
               is_loopback_address(host, size);
    return good && is_port_or_end(host + size);
}

bool
loopback_is_origin(const char *origin)
{
    if (strncmp(origin, "http://", 7) == 0)
        return loopback_is_host(origin + 7);
    return strncmp(origin, "https://", 8) == 0 && loopback_is_host(origin + 8);
}
