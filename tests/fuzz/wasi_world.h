/* Hosts for the fuzzer: made once, and put back into their first state before each sequence. */
#ifndef RETORT_FUZZ_WASI_WORLD_H
#define RETORT_FUZZ_WASI_WORLD_H

#include <setjmp.h>
#include <stdint.h>

void world_make_all(void);
/* choice: any number. */
void world_enter(uint32_t choice);
/* What is not as it must be besides the host's books, after a sequence; or NULL. Static. */
const char *world_damage(void);

extern jmp_buf world_exit;

#endif
