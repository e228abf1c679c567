/* Prints the metrics as docs/OPERATIONS.md shows them. For `make docs`. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define API    1
#define WORKER 2

static const struct {
    int programs;
    const char *kind, *name, *labels[3], *help;
} rows[] = {
#define METRIC(programs, kind, symbol, name, first, second, third, manner, help)                   \
    {(programs), #kind, name, {#first, #second, #third}, help},
#include "common/metrics.def"
#undef METRIC
};

static void
print_lower(const char *text)
{
    for (; *text; text++)
        putchar(tolower((unsigned char)*text));
}

static void
print_labels(const char *const *labels)
{
    for (int i = 0; i < 3 && strcmp(labels[i], "NONE") != 0; i++) {
        printf("%s`", i > 0 ? ", " : "");
        print_lower(labels[i]);
        putchar('`');
    }
}

int
main(void)
{
    printf("| metric | of | kind | labels | what it is |\n| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        printf("| `%s` | %s%s%s | ", rows[i].name, rows[i].programs & API ? "api" : "",
               rows[i].programs == (API | WORKER) ? ", " : "",
               rows[i].programs & WORKER ? "worker" : "");
        print_lower(rows[i].kind);
        printf(" | ");
        print_labels(rows[i].labels);
        printf(" | %s |\n", rows[i].help);
    }
    return 0;
}
