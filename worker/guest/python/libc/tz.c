/*
 * wasi-libc's time zone functions (UTC only), in place of its own __tz.o: that one stores through
 * `oppoff` without asking whether the caller passed a place for it. mktime() passes none, and a
 * store to address 0 is a trap where the first page of linear memory is not mapped.
 */
#include <time.h>

const char __utc[] = "UTC";

void __secs_to_zone(long long seconds, int local, int *isdst, int *offset, long *oppoff,
                    const char **zonename);
const char *__tm_to_tzname(const struct tm *tm);

void
__secs_to_zone(long long seconds, int local, int *isdst, int *offset, long *oppoff,
               const char **zonename)
{
    (void)seconds;
    (void)local;
    *isdst = 0;
    *offset = 0;
    if (oppoff)
        *oppoff = 0;
    if (zonename)
        *zonename = __utc;
}

const char *
__tm_to_tzname(const struct tm *tm)
{
    return tm->__tm_zone;
}
