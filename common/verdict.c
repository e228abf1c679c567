#include "common/verdict.h"

#include <string.h>

struct verdict_row {
    const char *name;
    const char *text;
};

static const struct verdict_row rows[VERDICT_COUNT] = {
    [VERDICT_NONE] = {"none", "The program was not run to an end."},
#define VERDICT(symbol, name, text) [VERDICT_##symbol] = {name, text},
#include "common/verdict.def"
#undef VERDICT
};

static const struct verdict_row *
row_of(enum verdict verdict)
{
    return (unsigned)verdict < VERDICT_COUNT ? &rows[verdict] : &rows[VERDICT_NONE];
}

const char *
verdict_name(enum verdict verdict)
{
    return row_of(verdict)->name;
}

enum verdict
verdict_from_name(const char *name)
{
    for (int verdict = VERDICT_NONE + 1; verdict < VERDICT_COUNT; verdict++)
        if (strcmp(rows[verdict].name, name) == 0)
            return (enum verdict)verdict;
    return VERDICT_NONE;
}

const char *
verdict_text(enum verdict verdict)
{
    return row_of(verdict)->text;
}
