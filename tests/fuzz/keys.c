/* libs: libapi.a libcommon.a */
/* Keys as a setting and as a file: what is taken is in bounds, what is refused is not repeated. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_key.h"
#include "api/loopback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct api_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct api_key *key = keys->list[i];
        if (strlen(key->hash) != DIGEST_HEX_SIZE - 1 || key->label[0] == '\0' ||
            key->rate_milli == 0 || key->burst == 0 || key->burst > API_KEY_BURST_MOST ||
            key->rate_milli > API_KEY_RPS_MOST * 1000u)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct api_keys keys = {.count = 0};
    struct err err = ERR_INIT;
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    (void)!api_keys_parse_setting(&keys, text, &err);
    (void)!api_keys_parse_file(&keys, text, size, &err);
    check(&keys);
    (void)api_keys_find(&keys, text, size);
    (void)loopback_is_origin(text);
    (void)loopback_is_host(text);
    api_keys_fini(&keys);
    free(text);
    return 0;
}
