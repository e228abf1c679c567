#include "common/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/utf8.h"

#define LINE_SIZE     4096
/* Kept free for what ends a line that was cut. */
#define LINE_END_SIZE 16

struct line {
    char data[LINE_SIZE];
    size_t used;
    bool full; /* a value did not fit; nothing more is added */
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARNING] = "warning",
    [LOG_ERROR] = "error",
};

/* The one mutable global: every line of a process carries the same program name and threshold. */
static struct {
    const char *program;
    enum log_level level;
} settings = {"retort", LOG_INFO};

void
log_init(const char *program, enum log_level level)
{
    settings.program = program;
    settings.level = level;
}

int
log_level_from_name(const char *name, enum log_level *level, struct err *err)
{
    for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return err_set(err, ERR_CONFIG, 0,
                   "LOG_LEVEL: \"%s\" is not one of debug, info, warning, error", name);
}

static void
put(struct line *line, const char *data, size_t size)
{
    if (line->full || size > LINE_SIZE - LINE_END_SIZE - line->used) {
        line->full = true;
        return;
    }
    memcpy(line->data + line->used, data, size);
    line->used += size;
}

static void
put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* One character of a JSON string; ill-formed bytes become U+FFFD. Returns the bytes consumed. */
static size_t
put_character(struct line *line, const char *text, size_t size)
{
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') {
        put(line, (char[]){'\\', (char)c}, 2);
        return 1;
    }
    if (c < 0x20 || c == 0x7f) {
        char escape[8];
        snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)c);
        put_text(line, escape);
        return 1;
    }
    bool valid;
    size_t n = utf8_sequence(text, size, &valid);
    if (valid)
        put(line, text, n);
    else
        put_text(line, "\xef\xbf\xbd");
    return n;
}

static void
put_string(struct line *line, const char *text)
{
    if (!text) {
        put_text(line, "null");
        return;
    }
    put_text(line, "\"");
    for (size_t left = strlen(text); left > 0 && !line->full;) {
        size_t n = put_character(line, text, left);
        text += n;
        left -= n;
    }
    put_text(line, "\"");
}

static void
put_value(struct line *line, const struct log_value *value)
{
    char number[24];
    switch (value->type) {
    case LOG_VALUE_STR:
        put_string(line, value->str);
        return;
    case LOG_VALUE_INT:
        snprintf(number, sizeof(number), "%" PRId64, value->i);
        break;
    case LOG_VALUE_UINT:
        snprintf(number, sizeof(number), "%" PRIu64, value->u);
        break;
    }
    put_text(line, number);
}

/* A field is in the line whole or not at all. */
static void
put_field(struct line *line, const char *name, struct log_value value)
{
    size_t before = line->used;
    if (before > 1)
        put_text(line, ",");
    put_string(line, name);
    put_text(line, ":");
    put_value(line, &value);
    if (line->full)
        line->used = before;
}

static void
put_time(struct line *line)
{
    int64_t now_ms = clock_realtime_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    char date[32], text[48];
    gmtime_r(&seconds, &tm);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, sizeof(text), "%s.%03dZ", date, (int)(now_ms % 1000));
    put_field(line, "time", LOG_STR(text));
}

static void
end_line(struct line *line)
{
    static const char cut[] = ",\"cut\":true}\n", whole[] = "}\n";
    const char *end = line->full ? cut : whole;
    memcpy(line->data + line->used, end, strlen(end));
    line->used += strlen(end);
}

/* One write for a line, so that lines of several processes on one pipe stay whole. */
static void
write_line(const struct line *line)
{
    size_t done = 0;
    while (done < line->used) {
        ssize_t n = write(STDERR_FILENO, line->data + done, line->used - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* there is nowhere left to say it */
        done += (size_t)n;
    }
}

void
log_write(enum log_level level, const char *event, const struct log_field *fields, unsigned count)
{
    if (level < settings.level)
        return;
    struct line line = {.used = 0};
    put_text(&line, "{");
    put_time(&line);
    put_field(&line, "level", LOG_STR(level_names[level]));
    put_field(&line, "program", LOG_STR(settings.program));
    put_field(&line, "event", LOG_STR(event));
    for (unsigned i = 0; i < count && !line.full; i++)
        put_field(&line, fields[i].name, fields[i].value);
    end_line(&line);
    write_line(&line);
}

void
log_err(enum log_level level, const char *event, const struct err *err)
{
    LOG(level, event, {"error", LOG_STR(err_code_name(err->code))},
        {"message", LOG_STR(err->text)});
}
