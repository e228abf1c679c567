/*
 * What a command has to say, in sections of rows of cells, for people or for programs.
 *
 *     report_table(report, "queues");
 *     report_row(report);
 *     report_text(report, "language", name, strlen(name));
 *     report_uint(report, "depth", 12);
 *     report_ms(report, "oldest_ms", 1500);
 *     report_print(report, json, stdout);
 *
 * JSON is one object: a table is a list of objects, a record one object. For people a table has
 * aligned columns and a record aligned lines; a cell's name loses its unit there, and its value has
 * one. Names are borrowed. Out of memory: the report is `failed`, and nothing more is kept.
 */
#ifndef RETORT_REPORT_H
#define RETORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct report;

/* NULL: out of memory. */
struct report *report_new(void);
void report_free(struct report *report);
bool report_failed(const struct report *report);

void report_table(struct report *report, const char *name);
/* Has its one row at once. */
void report_record(struct report *report, const char *name);
void report_row(struct report *report);

/* Cells of the last row. Any bytes. */
void report_text(struct report *report, const char *name, const char *data, size_t size);
void report_string(struct report *report, const char *name, const char *text);
void report_int(struct report *report, const char *name, int64_t value);
void report_bool(struct report *report, const char *name, bool value);
void report_bytes(struct report *report, const char *name, uint64_t value);
/* Below 0: it is past. */
void report_ms(struct report *report, const char *name, int64_t ms);
/* Since the epoch; for people in UTC. */
void report_time(struct report *report, const char *name, int64_t ms);
/* The same text for both, with \xNN for what is not printable. */
void report_excerpt(struct report *report, const char *name, const char *data, size_t size);
/* Lines of a program, to be the last of a record. */
void report_lines(struct report *report, const char *name, const char *data, size_t size);
/* Not known, or does not apply. */
void report_none(struct report *report, const char *name);

struct report_usage {
    const char *language;
    uint32_t busy, slots;
};
void report_usages(struct report *report, const char *name, const struct report_usage *usages,
                   size_t count);

void report_print(const struct report *report, bool json, FILE *out);

#endif
