#include "api/limits.h"

#include <inttypes.h>

#include "common/descriptors.h"
#include "common/queue.h"

/* Standard streams, socket, loop, resolver, pipes of API_PROCESSES others; generously. */
#define OTHER_DESCRIPTORS 128

int
limits_check_descriptors(const struct config *config, struct err *err)
{
    uint64_t limit = descriptors_raise_limit();
    uint64_t needed = config->max_connections +
                      queue_client_connections_most((uint32_t)config->max_in_flight) +
                      OTHER_DESCRIPTORS;
    if (needed <= limit)
        return 0;
    return err_set(err, ERR_CONFIG, 0,
                   "MAX_CONNECTIONS=%" PRIu64 " and MAX_IN_FLIGHT=%" PRIu64 " need %" PRIu64
                   " open descriptors and this process may have %" PRIu64
                   "; lower them, or raise its limit (ulimit -n, LimitNOFILE=).",
                   config->max_connections, config->max_in_flight, needed, limit);
}

int
limits_check_bodies(const struct config *config, struct err *err)
{
    if (config->max_bodies_bytes >= config->max_body_bytes)
        return 0;
    return err_set(err, ERR_CONFIG, 0,
                   "MAX_BODIES_BYTES=%" PRIu64 " is less than MAX_BODY_BYTES=%" PRIu64
                   "; no body of that size could ever arrive.",
                   config->max_bodies_bytes, config->max_body_bytes);
}
