/* Prints the limits of the surfaces as docs/API.md shows them. For `make docs`. */
#include <stdio.h>

#define SETTING(field, name)    "`" #name "`"
#define SECONDS(field, name)    "`" #name "`"
#define FIXED(number)           #number
#define SHARE(percent)          #percent " % of the timeout"
#define BYTES(field, name)      "`" #name "`"
#define CHARACTERS(field, name) "`" #name "`"

static const struct {
    const char *endpoints, *ordinary, *longest, *cpu, *memory, *code;
} rows[] = {
#define SURFACE(symbol, endpoints, ordinary, longest, cpu, memory, code)                           \
    {endpoints, ordinary, longest, cpu, memory, code},
#include "common/surfaces.def"
#undef SURFACE
};

int
main(void)
{
    printf("| surface | timeout in ms, when none is asked for | at most | CPU time | memory in MiB "
           "| code |\n| --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        printf("| `%s` | %s | %s | %s | %s | %s |\n", rows[i].endpoints, rows[i].ordinary,
               rows[i].longest, rows[i].cpu, rows[i].memory, rows[i].code);
    return 0;
}
