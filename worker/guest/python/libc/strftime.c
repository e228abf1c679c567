/*
 * strftime() as glibc's in the C locale. musl's lacks %k, %l, %P, and answers a format that has
 * something unknown in it with nothing at all; where the two print years below 1000 differently,
 * programs expect glibc's way.
 */
#include "guest_posix.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t __wrap_strftime(char *out, size_t size, const char *format, const struct tm *tm);
const char *__tm_to_tzname(const struct tm *tm);

struct output {
    char *at;
    size_t room; /* with the final NUL */
    size_t used; /* room, when there was more to write */
};

/* One conversion: %, flags, width, modifier, letter. */
struct conversion {
    char pad; /* '_', '-', '0', or 0 as the letter has it */
    bool upper, swap;
    int width; /* -1: none */
    char modifier, letter;
};

static void expand(struct output *out, const char *format, const struct tm *tm);

static bool
is_full(const struct output *out)
{
    return out->used >= out->room;
}

static void
put(struct output *out, char c)
{
    if (!is_full(out))
        out->at[out->used++] = c;
}

static void
put_times(struct output *out, char c, long long times)
{
    for (; times > 0 && !is_full(out); times--)
        put(out, c);
}

static void
put_padding(struct output *out, const struct conversion *conversion, size_t length)
{
    put_times(out, conversion->pad == '0' ? '0' : ' ', conversion->width - (long long)length);
}

static void
put_text(struct output *out, const struct conversion *conversion, const char *text, bool lower)
{
    put_padding(out, conversion, strlen(text));
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        put(out, (char)(lower ? tolower(c) : conversion->upper ? toupper(c) : c));
    }
}

static void
put_subformat(struct output *out, const struct conversion *conversion, const char *format,
              const struct tm *tm)
{
    char text[128];
    struct output part = {.at = text, .room = sizeof(text) - 1};

    expand(&part, format, tm);
    text[part.used] = '\0';
    put_text(out, conversion, text, false);
}

/* digits: the least there are; pad: what the letter pads with when no flag says it. */
static void
put_number(struct output *out, const struct conversion *conversion, long long value, int digits,
           char pad)
{
    char text[24];
    unsigned long long magnitude =
        value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value;
    int length = snprintf(text, sizeof(text), "%llu", magnitude);
    int least = conversion->width > digits ? conversion->width : digits;

    if (conversion->pad != 0)
        pad = conversion->pad;
    int fill = (pad == '-' ? conversion->width : least) - length - (value < 0);
    if (pad != '0')
        put_times(out, ' ', fill);
    if (value < 0)
        put(out, '-');
    if (pad == '0')
        put_times(out, '0', fill);
    for (int i = 0; i < length; i++)
        put(out, text[i]);
}

static int
is_leap(long long year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days since the Monday of the ISO week 1 of the year; negative: still in the year before. */
static int
iso_days(int yday, int wday)
{
    int big_enough = 3 * 7; /* to keep the argument of % positive */

    return yday - (yday - wday + 4 + big_enough) % 7 + 4 - 1;
}

static int
iso_week(const struct tm *tm, long long *year)
{
    int days = iso_days(tm->tm_yday, tm->tm_wday);

    *year = tm->tm_year + 1900LL;
    if (days < 0) {
        (*year)--;
        days = iso_days(tm->tm_yday + 365 + is_leap(*year), tm->tm_wday);
    } else {
        int next = iso_days(tm->tm_yday - 365 - is_leap(*year), tm->tm_wday);
        if (next >= 0) {
            (*year)++;
            days = next;
        }
    }
    return days / 7 + 1;
}

static void
put_zone_offset(struct output *out, const struct conversion *conversion, const struct tm *tm)
{
    if (tm->tm_isdst < 0)
        return;
    long minutes = tm->tm_gmtoff / 60;
    bool negative = tm->tm_gmtoff < 0;
    /* glibc gives the width to the sign and to the number. */
    put_text(out, conversion, negative ? "-" : "+", false);
    minutes = negative ? -minutes : minutes;
    put_number(out, conversion, minutes / 60 * 100 + minutes % 60, 4, '0');
}

static void
put_seconds_since_1970(struct output *out, const struct conversion *conversion, const struct tm *tm)
{
    struct tm copy = *tm;

    put_number(out, conversion, mktime(&copy), 1, '_');
}

/* Names of days and months, and what stands for other conversions. */
static bool
put_as_text(struct output *out, const struct conversion *c, const struct tm *tm)
{
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    const char *day = tm->tm_wday < 0 || tm->tm_wday > 6 ? "?" : days[tm->tm_wday];
    const char *month = tm->tm_mon < 0 || tm->tm_mon > 11 ? "?" : months[tm->tm_mon];
    char abbreviated[4] = "";

    switch (c->letter) {
    case 'a':
        put_text(out, c, strncat(abbreviated, day, 3), false);
        return true;
    case 'A':
        put_text(out, c, day, false);
        return true;
    case 'b':
    case 'h':
        put_text(out, c, strncat(abbreviated, month, 3), false);
        return true;
    case 'B':
        put_text(out, c, month, false);
        return true;
    case 'p':
        put_text(out, c, tm->tm_hour > 11 ? "PM" : "AM", c->swap);
        return true;
    case 'P':
        put_text(out, c, tm->tm_hour > 11 ? "pm" : "am", true);
        return true;
    case 'Z':
        put_text(out, c, __tm_to_tzname(tm), c->swap);
        return true;
    case 'n':
        put_text(out, c, "\n", false);
        return true;
    case 't':
        put_text(out, c, "\t", false);
        return true;
    case '%':
        put_text(out, c, "%", false);
        return true;
    default:
        return false;
    }
}

static bool
put_as_subformat(struct output *out, const struct conversion *c, const struct tm *tm)
{
    static const struct {
        char letter;
        const char *format;
    } table[] = {
        {'c', "%a %b %e %H:%M:%S %Y"},
        {'D', "%m/%d/%y"},
        {'F', "%Y-%m-%d"},
        {'r', "%I:%M:%S %p"},
        {'R', "%H:%M"},
        {'T', "%H:%M:%S"},
        {'x', "%m/%d/%y"},
        {'X', "%H:%M:%S"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].letter == c->letter) {
            put_subformat(out, c, table[i].format, tm);
            return true;
        }
    return false;
}

static int
hour12(const struct tm *tm)
{
    int hour = tm->tm_hour > 12 ? tm->tm_hour - 12 : tm->tm_hour;

    return hour == 0 ? 12 : hour;
}

static bool
put_as_number(struct output *out, const struct conversion *c, const struct tm *tm)
{
    long long year = tm->tm_year + 1900LL, iso_year;
    int week = iso_week(tm, &iso_year);
    const struct {
        char letter;
        long long value;
        int digits;
        char pad;
    } table[] = {
        {'C', year / 100 - (year % 100 < 0), 1, '0'},
        {'d', tm->tm_mday, 2, '0'},
        {'e', tm->tm_mday, 2, '_'},
        {'g', (iso_year % 100 + 100) % 100, 2, '0'},
        {'G', iso_year, 1, '0'},
        {'H', tm->tm_hour, 2, '0'},
        {'I', hour12(tm), 2, '0'},
        {'j', tm->tm_yday + 1, 3, '0'},
        {'k', tm->tm_hour, 2, '_'},
        {'l', hour12(tm), 2, '_'},
        {'m', tm->tm_mon + 1, 2, '0'},
        {'M', tm->tm_min, 2, '0'},
        {'S', tm->tm_sec, 2, '0'},
        {'u', (tm->tm_wday - 1 + 7) % 7 + 1, 1, '0'},
        {'U', (tm->tm_yday - tm->tm_wday + 7) / 7, 2, '0'},
        {'V', week, 2, '0'},
        {'w', tm->tm_wday, 1, '0'},
        {'W', (tm->tm_yday - (tm->tm_wday - 1 + 7) % 7 + 7) / 7, 2, '0'},
        {'y', (tm->tm_year % 100 + 100) % 100, 2, '0'},
        {'Y', year, 1, '0'},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].letter == c->letter) {
            put_number(out, c, table[i].value, table[i].digits, table[i].pad);
            return true;
        }
    return false;
}

/* Which letters go with E and O. */
static bool
modifier_fits(const struct conversion *c)
{
    if (c->modifier == 0)
        return true;
    return strchr(c->modifier == 'E' ? "cCxXyYpPrRTstuzZn%" : "bBhdeHIklmMSuUVgGwWyCjpPrRTstzZn%",
                  c->letter) != NULL;
}

/* The conversion that begins at format, behind its %. Returns what is left. */
static const char *
parse(struct conversion *c, const char *format)
{
    *c = (struct conversion){.width = -1};
    for (; *format != '\0' && strchr("_-0^#", *format) != NULL; format++) {
        if (*format == '^')
            c->upper = true;
        else if (*format == '#')
            c->swap = true;
        else
            c->pad = *format;
    }
    for (; isdigit((unsigned char)*format); format++) {
        c->width = (c->width > 0 ? c->width : 0) * 10 + (*format - '0');
        if (c->width > 1 << 20)
            c->width = 1 << 20;
    }
    if (*format == 'E' || *format == 'O')
        c->modifier = *format++;
    c->letter = *format;
    return *format != '\0' ? format + 1 : format;
}

static bool
convert(struct output *out, struct conversion *c, const struct tm *tm)
{
    if (c->letter == '\0')
        return false;
    c->upper |= c->swap && strchr(c->modifier == 0 ? "aAbBh" : "AbBh", c->letter) != NULL;
    if (!modifier_fits(c))
        return false;
    if (c->letter == 's') {
        put_seconds_since_1970(out, c, tm);
        return true;
    }
    if (c->letter == 'z') {
        put_zone_offset(out, c, tm);
        return true;
    }
    return put_as_text(out, c, tm) || put_as_subformat(out, c, tm) || put_as_number(out, c, tm);
}

static void
expand(struct output *out, const char *format, const struct tm *tm)
{
    struct conversion conversion;

    while (*format != '\0' && !is_full(out)) {
        const char *start = format;
        if (*format++ != '%') {
            put(out, *start);
            continue;
        }
        format = parse(&conversion, format);
        if (!convert(out, &conversion, tm)) {
            put_padding(out, &conversion, (size_t)(format - start));
            for (; start < format; start++) /* unknown: as it stands there */
                put(out, conversion.upper ? (char)toupper((unsigned char)*start) : *start);
        }
    }
}

size_t
__wrap_strftime(char *out, size_t size, const char *format, const struct tm *tm)
{
    struct output output = {.at = out, .room = size};

    expand(&output, format, tm);
    if (output.used >= size)
        return 0;
    out[output.used] = '\0';
    return output.used;
}
