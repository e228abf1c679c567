#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct err_row {
    const char *name;
    int http_status;
    bool retryable;
    const char *text;
};

static const struct err_row rows[ERR_CODE_COUNT] = {
    [ERR_NONE] = {"none", 200, false, "No error."},
#define ERR(symbol, name, http_status, retryable, text)                                            \
    [ERR_##symbol] = {name, http_status, retryable, text},
#include "common/err.def"
#undef ERR
};

/* Codes also arrive from other processes; one that is not in the table reads as "system". */
static const struct err_row *
row_of(enum err_code code)
{
    return (unsigned)code < ERR_CODE_COUNT ? &rows[code] : &rows[ERR_SYSTEM];
}

/* Cuts what does not fit. */
static void
append(char *text, const char *more)
{
    size_t used = strlen(text), size = strlen(more), room = sizeof(((struct err *)0)->text) - 1;
    if (size > room - used)
        size = room - used;
    memcpy(text + used, more, size);
    text[used + size] = '\0';
}

/* Text stays one line whatever was formatted into it. */
static void
flatten(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ')
            *text = ' ';
}

int
err_set(struct err *err, enum err_code code, int sys_errno, const char *format, ...)
{
    /* Formatted aside: an argument may be err's own text. */
    char text[sizeof(err->text)];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (sys_errno != 0) {
        const char *reason = strerrordesc_np(sys_errno);
        append(text, ": ");
        append(text, reason ? reason : "unknown error");
    }
    flatten(text);
    err->code = code;
    err->sys_errno = sys_errno;
    memcpy(err->text, text, sizeof(text));
    return -1;
}

int
err_wrap(struct err *err, const char *format, ...)
{
    char text[sizeof(err->text)];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    append(text, ": ");
    append(text, err->text);
    flatten(text);
    memcpy(err->text, text, sizeof(text));
    return -1;
}

const char *
err_code_name(enum err_code code)
{
    return row_of(code)->name;
}

enum err_code
err_code_from_name(const char *name)
{
    for (int code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++)
        if (strcmp(rows[code].name, name) == 0)
            return (enum err_code)code;
    return ERR_NONE;
}

int
err_code_http_status(enum err_code code)
{
    return row_of(code)->http_status;
}

bool
err_code_retryable(enum err_code code)
{
    return row_of(code)->retryable;
}

const char *
err_code_text(enum err_code code)
{
    return row_of(code)->text;
}
