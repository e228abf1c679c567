/* The guest's side of the door: what it does out there. */
#ifndef RETORT_TESTS_ESCAPE_GUEST_DOOR_CALLS_H
#define RETORT_TESTS_ESCAPE_GUEST_DOOR_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/escape/door.h"

#define PAGE_BYTES 4096u

/* The host's address of something of the guest's. */
uint64_t host_address(const void *pointer);

/* arguments: DOOR_ARGUMENT_COUNT of them, or NULL for zeroes. */
uint64_t door(enum door_operation operation, uint64_t number, const uint64_t *arguments);

/* A request that the native side may keep. */
void door_at(enum door_operation operation, struct door_request *request);

/* A system call with three arguments. */
int64_t host_call(int number, uint64_t first, uint64_t second, uint64_t third);

void host_read(void *buffer, uint64_t address, size_t size);
void host_write(uint64_t address, const void *data, size_t size);
uint64_t host_word(uint64_t address);

/* Asks the kernel, by a call that is allowed: does not fault. */
bool host_is_readable(uint64_t address);

#endif
