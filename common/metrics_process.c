#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/metrics_internal.h"

/* Resident pages are the second number of /proc/self/statm; 0: it cannot be read. */
static uint64_t
resident_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    text[size > 0 ? size : 0] = '\0';
    const char *second = strchr(text, ' ');
    return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

void
metrics_note_process(void)
{
    metric_cell *start = metrics_cells(METRIC_PROCESS_START, METRIC_ONLY, metrics_slot());

    if (!start)
        return;
    if ((int64_t)atomic_load_explicit(start, memory_order_relaxed) == METRIC_ABSENT)
        metrics_set(METRIC_PROCESS_START, METRIC_ONLY, (uint64_t)clock_realtime_ms() / 1000);
    metrics_set(METRIC_PROCESS_MEMORY, METRIC_ONLY, resident_bytes());
}
