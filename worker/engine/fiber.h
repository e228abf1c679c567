/*
 * Fibers: several stacks of one guest, one of them running at a time, changed when the guest says.
 *
 * A guest's threads are made of them: the guest has the scheduler, the host the stacks
 * (fiber_abi.h says what it asks for). A module that does not export retort_fiber_main has no
 * fibers, and neither has a guest that boots: a fork would take their timer from them.
 *
 *     engine_load()            reserves and installs what must be there before forks
 *     engine_fibers_allow()    in each process whose guest may make fibers, before its filter
 *     engine_fiber_request()   what the guest asks for; needs no trust
 */
#ifndef RETORT_ENGINE_FIBER_H
#define RETORT_ENGINE_FIBER_H

#include <stdint.h>

#include "common/err.h"

struct fiber_request;

enum engine_fiber_answer {
    ENGINE_FIBER_OK,
    ENGINE_FIBER_INVALID,
    ENGINE_FIBER_NO_MEMORY,
    ENGINE_FIBER_NOT_ALLOWED,
};

/* Makes the preemption timer. Once per process; a fork does not inherit it. */
int engine_fibers_allow(struct err *err);
/* Address space that stacks take, writable or not; 0 without fibers. */
uint64_t engine_fibers_mapped_bytes(void);

/* Borrows the request, which must not lie in linear memory. May return much later. */
enum engine_fiber_answer engine_fiber_request(const struct fiber_request *request);

#endif
