#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/printable.h"
#include "admin/report_internal.h"

struct report *
report_new(void)
{
    return calloc(1, sizeof(struct report));
}

static void
free_section(struct report_section *section)
{
    for (size_t row = 0; row < section->count; row++) {
        struct report_line *line = &section->rows[row];
        for (size_t i = 0; i < line->count; i++) {
            free(line->cells[i].shown);
            free(line->cells[i].json);
        }
        free(line->cells);
    }
    free(section->rows);
}

void
report_free(struct report *report)
{
    if (!report)
        return;
    for (size_t i = 0; i < report->count; i++)
        free_section(&report->sections[i]);
    free(report->sections);
    free(report);
}

bool
report_failed(const struct report *report)
{
    return report->failed;
}

/* Room for one more zeroed element at the end of a list; NULL: the report has failed. */
static void *
add(struct report *report, void **list, size_t *count, size_t element_bytes)
{
    if (report->failed)
        return NULL;
    char *grown = reallocarray(*list, *count + 1, element_bytes);
    if (!grown) {
        report->failed = true;
        return NULL;
    }
    *list = grown;
    void *added = grown + *count * element_bytes;
    memset(added, 0, element_bytes);
    (*count)++;
    return added;
}

static void
add_section(struct report *report, const char *name, bool table)
{
    void *list = report->sections;
    struct report_section *section = add(report, &list, &report->count, sizeof(*section));

    report->sections = list;
    if (section)
        *section = (struct report_section){.name = name, .table = table};
}

void
report_table(struct report *report, const char *name)
{
    add_section(report, name, true);
}

void
report_record(struct report *report, const char *name)
{
    add_section(report, name, false);
    report_row(report);
}

void
report_row(struct report *report)
{
    if (report->failed)
        return;
    struct report_section *section = &report->sections[report->count - 1];
    void *list = section->rows;

    (void)add(report, &list, &section->count, sizeof(*section->rows));
    section->rows = list;
}

/* Takes both strings. */
static void
add_cell(struct report *report, const struct report_cell *cell)
{
    struct report_cell *added = NULL;

    if (!report->failed) {
        struct report_section *section = &report->sections[report->count - 1];
        struct report_line *line = &section->rows[section->count - 1];
        void *list = line->cells;
        added = add(report, &list, &line->count, sizeof(*cell));
        line->cells = list;
    }
    if (added)
        *added = *cell;
    if (!cell->shown || !cell->json)
        report->failed = true;
    if (!added) {
        free(cell->shown);
        free(cell->json);
    }
}

static char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

static char *
format(const char *pattern, ...)
{
    char *text;
    va_list arguments;

    va_start(arguments, pattern);
    int length = vasprintf(&text, pattern, arguments);
    va_end(arguments);
    return length < 0 ? NULL : text;
}

static char *
shown_text(const char *data, size_t size, bool lines)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    if (!out)
        return NULL;
    fputs(lines ? "\n" : "", out);
    printable_put(out, data, size, lines);
    fclose(out);
    return text;
}

static char *
json_text(const char *data, size_t size)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    if (!out)
        return NULL;
    printable_put_json(out, data, size);
    fclose(out);
    return text;
}

void
report_text(struct report *report, const char *name, const char *data, size_t size)
{
    add_cell(report,
             &(struct report_cell){.name = name,
                                   .shown = size ? shown_text(data, size, false) : strdup("-"),
                                   .json = json_text(data, size)});
}

void
report_excerpt(struct report *report, const char *name, const char *data, size_t size)
{
    char *shown = shown_text(data, size, false);

    add_cell(report, &(struct report_cell){.name = name,
                                           .shown = shown,
                                           .json = shown ? json_text(shown, strlen(shown)) : NULL});
}

void
report_lines(struct report *report, const char *name, const char *data, size_t size)
{
    add_cell(report, &(struct report_cell){.name = name,
                                           .shown = shown_text(data, size, true),
                                           .json = json_text(data, size)});
}

void
report_string(struct report *report, const char *name, const char *text)
{
    report_text(report, name, text, strlen(text));
}

void
report_int(struct report *report, const char *name, int64_t value)
{
    add_cell(report, &(struct report_cell){.name = name,
                                           .shown = format("%" PRId64, value),
                                           .json = format("%" PRId64, value),
                                           .right = true});
}

void
report_bool(struct report *report, const char *name, bool value)
{
    add_cell(report, &(struct report_cell){.name = name,
                                           .shown = strdup(value ? "yes" : "no"),
                                           .json = strdup(value ? "true" : "false")});
}

void
report_bytes(struct report *report, const char *name, uint64_t value)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double scaled = (double)value;
    size_t unit = 0;

    for (; scaled >= 1024 && unit < sizeof(units) / sizeof(units[0]) - 1; unit++)
        scaled /= 1024;
    add_cell(report,
             &(struct report_cell){.name = name,
                                   .shown = format("%.*f %s", unit ? 1 : 0, scaled, units[unit]),
                                   .json = format("%" PRIu64, value),
                                   .right = true});
}

static char *
format_duration(int64_t ms)
{
    const char *sign = ms < 0 ? "-" : "";
    uint64_t size = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms, seconds = size / 1000;

    if (size < 1000)
        return format("%s%" PRIu64 " ms", sign, size);
    if (seconds < 100)
        return format("%s%.1f s", sign, (double)size / 1000);
    if (seconds < 7200)
        return format("%s%" PRIu64 " min", sign, seconds / 60);
    if (seconds < 48 * 3600)
        return format("%s%" PRIu64 " h", sign, seconds / 3600);
    return format("%s%" PRIu64 " d", sign, seconds / 86400);
}

void
report_ms(struct report *report, const char *name, int64_t ms)
{
    add_cell(report, &(struct report_cell){.name = name,
                                           .shown = format_duration(ms),
                                           .json = format("%" PRId64, ms),
                                           .right = true});
}

void
report_time(struct report *report, const char *name, int64_t ms)
{
    struct tm parts;
    time_t seconds = (time_t)(ms / 1000);
    char text[64];

    if (ms < 0 || !gmtime_r(&seconds, &parts) ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%SZ", &parts) == 0)
        (void)snprintf(text, sizeof(text), "%" PRId64 " ms", ms);
    add_cell(report, &(struct report_cell){
                         .name = name, .shown = strdup(text), .json = format("%" PRId64, ms)});
}

void
report_none(struct report *report, const char *name)
{
    add_cell(report,
             &(struct report_cell){.name = name, .shown = strdup("-"), .json = strdup("null")});
}

void
report_usages(struct report *report, const char *name, const struct report_usage *usages,
              size_t count)
{
    struct report_cell cell = {.name = name};
    size_t length;
    FILE *shown = open_memstream(&cell.shown, &length);
    FILE *json = open_memstream(&cell.json, &length);

    for (size_t i = 0; shown && json && i < count; i++) {
        const struct report_usage *usage = &usages[i];
        fprintf(shown, "%s%s %" PRIu32 "/%" PRIu32, i ? ", " : "", usage->language, usage->busy,
                usage->slots);
        fprintf(json, "%s{\"language\":", i ? "," : "[");
        printable_put_json(json, usage->language, strlen(usage->language));
        fprintf(json, ",\"busy\":%" PRIu32 ",\"slots\":%" PRIu32 "}", usage->busy, usage->slots);
    }
    if (shown) {
        fputs(count ? "" : "-", shown);
        fclose(shown);
    }
    if (json) {
        fputs(count ? "]" : "[]", json);
        fclose(json);
    }
    add_cell(report, &cell);
}
