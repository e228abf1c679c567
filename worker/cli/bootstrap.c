#include "worker/cli/bootstrap.h"

/* The file as it stands; the path is relative to the directory that make runs in. */
__asm__(".section .rodata\n"
        ".global cli_bootstrap\n"
        "cli_bootstrap:\n"
        ".incbin \"worker/guest/python/bootstrap/cli.py\"\n"
        ".byte 0\n"
        ".previous\n");
