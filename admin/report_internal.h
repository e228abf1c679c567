/* Between report.c, which fills a report, and report_print.c. */
#ifndef RETORT_REPORT_INTERNAL_H
#define RETORT_REPORT_INTERNAL_H

#include "admin/report.h"

struct report_cell {
    const char *name;
    char *shown; /* for people, safe to print */
    char *json;
    bool right; /* a number: stands at the right of its column */
};

struct report_line {
    struct report_cell *cells;
    size_t count;
};

struct report_section {
    const char *name;
    bool table;
    struct report_line *rows;
    size_t count;
};

struct report {
    struct report_section *sections;
    size_t count;
    bool failed;
};

#endif
