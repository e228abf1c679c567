#include "common/recent_ids.h"

#include <string.h>

void
recent_ids_add(struct recent_ids *recent, const char *id)
{
    size_t size = strlen(id);

    if (size == 0 || size >= JOB_ID_SIZE)
        return;
    memcpy(recent->ids[recent->next], id, size + 1);
    recent->next = (recent->next + 1) % RECENT_IDS;
}

bool
recent_ids_take(struct recent_ids *recent, const char *id)
{
    bool found = false;

    for (unsigned i = 0; i < RECENT_IDS; i++) {
        if (*id && strcmp(recent->ids[i], id) == 0) {
            recent->ids[i][0] = '\0';
            found = true;
        }
    }
    return found;
}
