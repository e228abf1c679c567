#include "worker/cli/bootstrap.h"

/* The files as they stand; the paths are relative to the directory that make runs in. */
__asm__(".section .rodata\n"
        ".global cli_bootstrap\n"
        "cli_bootstrap:\n"
        ".incbin \"worker/guest/python/bootstrap/cli.py\"\n"
        ".byte 0\n"
        ".global cli_bootstrap_small\n"
        "cli_bootstrap_small:\n"
        ".incbin \"worker/cli/small.py\"\n"
        ".byte 0\n"
        ".previous\n");
