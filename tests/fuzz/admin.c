/* libs: libadmin.a libcommon.a */
/* What retort-admin prints of any bytes: whole lines, in which nothing acts on a terminal. */
#include <stdint.h>
#include <stdlib.h>

#include "admin/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct report *report, bool json)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    report_print(report, json, out);
    fclose(out);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\n') || c == 0x7f ||
            (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0) || (json && c == '\n' && text[i + 1]))
            abort();
    }
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report *report = report_new();

    report_table(report, "rows");
    report_row(report);
    report_text(report, "text", (const char *)data, size);
    report_excerpt(report, "bytes", (const char *)data, size);
    check(report, false);
    check(report, true);
    report_free(report);
    return 0;
}
