/*
 * A module with fibers, whose guest is the test: engine_module, and the requests as functions.
 * Every check runs in a child, so that what it makes of the table of fibers stays its own.
 */
#ifndef RETORT_TEST_FIBER_WORLD_H
#define RETORT_TEST_FIBER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "worker/engine/engine.h"
#include "worker/engine/fiber.h"
#include "worker/engine/fiber_abi.h"

#define PAGE       ((uint64_t)ENGINE_PAGE_BYTES)
#define MEMORY_MIB 4u
#define PAGES      (MEMORY_MIB * 16u)
#define SLOT_BYTES (FIBER_GUARD_BYTES + FIBER_STACK_BYTES)
#define TRAPPED(t) (100 + (int)(t))

extern uint32_t stack_pointer;          /* the module's */
extern void (*body)(uint32_t argument); /* of every fiber that is entered */
extern int refusals;                    /* of memory */

/* The exit status of a child that does the check: 0, 1 after a CHECK that failed, or TRAPPED(). */
int status_of(void (*check)(void));

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("%s:%d: %s\n", __FILE__, __LINE__, #condition);                            \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

enum engine_fiber_answer make_fiber(uint32_t slot, uint32_t argument);
enum engine_fiber_answer ask_for(uint32_t operation, uint32_t slot);
enum engine_fiber_answer set_flags(uint32_t flag, uint32_t other_flag, uint32_t interval_us);
/* In a child: they must succeed. */
void go_to(uint32_t slot);
void end_fiber(void);

/* Stacks of fibers that are made in order, each for the first time in its slot. */
uint32_t guard_of(uint32_t slot);
uint32_t top_of(uint32_t slot);

#endif
