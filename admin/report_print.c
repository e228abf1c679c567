#include <ctype.h>
#include <string.h>

#include "admin/report_internal.h"

/* ---- for programs ---- */

static void
print_json_row(const struct report_line *line, FILE *out)
{
    fputc('{', out);
    for (size_t i = 0; i < line->count; i++)
        fprintf(out, "%s\"%s\":%s", i ? "," : "", line->cells[i].name, line->cells[i].json);
    fputc('}', out);
}

static void
print_json(const struct report *report, FILE *out)
{
    fputc('{', out);
    for (size_t i = 0; i < report->count; i++) {
        const struct report_section *section = &report->sections[i];
        fprintf(out, "%s\"%s\":%s", i ? "," : "", section->name, section->table ? "[" : "");
        for (size_t row = 0; row < section->count; row++) {
            fputs(row ? "," : "", out);
            print_json_row(&section->rows[row], out);
        }
        fputs(section->table ? "]" : "", out);
    }
    fputs("}\n", out);
}

/* ---- for people ---- */

/* Columns that it takes: a character that is shown has one. */
static size_t
width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* name without its unit, which stands behind the value. */
static size_t
label_length(const char *name)
{
    static const char *const units[] = {"_ms", "_bytes"};
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t unit = strlen(units[i]);
        if (length > unit && strcmp(name + length - unit, units[i]) == 0)
            return length - unit;
    }
    return length;
}

static void
print_label(const char *name, bool upper, FILE *out)
{
    for (size_t i = 0, length = label_length(name); i < length; i++) {
        unsigned char c = name[i] == '_' ? ' ' : (unsigned char)name[i];
        fputc(upper ? toupper(c) : c, out);
    }
}

static void
pad(size_t from, size_t to, FILE *out)
{
    for (; from < to; from++)
        fputc(' ', out);
}

static void
print_record(const struct report_section *section, FILE *out)
{
    const struct report_line *line = &section->rows[0];
    size_t width = 0;

    for (size_t i = 0; i < line->count; i++) {
        size_t length = label_length(line->cells[i].name);
        width = length > width ? length : width;
    }
    for (size_t i = 0; i < line->count; i++) {
        print_label(line->cells[i].name, false, out);
        pad(label_length(line->cells[i].name), width + 2, out);
        fprintf(out, "%s\n", line->cells[i].shown);
    }
}

static size_t
column_width(const struct report_section *section, size_t column)
{
    size_t width = label_length(section->rows[0].cells[column].name);

    for (size_t row = 0; row < section->count; row++) {
        size_t length = width_of(section->rows[row].cells[column].shown);
        width = length > width ? length : width;
    }
    return width;
}

/* The header when shown is false. */
static void
print_cell(const struct report_cell *cell, bool shown, size_t width, bool last, FILE *out)
{
    size_t length = shown ? width_of(cell->shown) : label_length(cell->name);

    if (cell->right)
        pad(length, width, out);
    if (shown)
        fputs(cell->shown, out);
    else
        print_label(cell->name, true, out);
    if (!cell->right && !last)
        pad(length, width, out);
    fputs(last ? "\n" : "  ", out);
}

static void
print_table(const struct report_section *section, FILE *out)
{
    size_t widths[32], columns = section->rows[0].count;

    columns = columns < 32 ? columns : 32;
    for (size_t i = 0; i < columns; i++)
        widths[i] = column_width(section, i);
    for (size_t row = 0; row <= section->count; row++) {
        const struct report_line *line = &section->rows[row ? row - 1 : 0];
        for (size_t i = 0; i < columns; i++)
            print_cell(&line->cells[i], row > 0, widths[i], i + 1 == columns, out);
    }
}

static void
print_text(const struct report *report, FILE *out)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct report_section *section = &report->sections[i];
        fprintf(out, "%s%s%s\n", i ? "\n" : "", section->name, section->count ? "" : ": none");
        if (section->count > 0 && section->table)
            print_table(section, out);
        else if (section->count > 0)
            print_record(section, out);
    }
}

void
report_print(const struct report *report, bool json, FILE *out)
{
    if (json)
        print_json(report, out);
    else
        print_text(report, out);
}
