/*
 * The door out of the wasm: what a guest asks of door.c, and how. Test images only.
 *
 * The guest calls sock_recv, which no program needs, with DOOR_FD as descriptor and the linear
 * address of a struct door_request as second argument. Addresses in a request are the host's; with
 * linear memory at host address 0 (DOOR_WHERE_MEMORY tells) a guest's pointers are such.
 */
#ifndef RETORT_TESTS_ESCAPE_DOOR_H
#define RETORT_TESTS_ESCAPE_DOOR_H

#include <stdint.h>

#define DOOR_FD             0x0d00d00du
#define DOOR_ARGUMENT_COUNT 6
/* In every program that has the door, and in no other. */
#define DOOR_MARKER         "retort: this program has a door out of its sandbox"

enum door_operation {
    DOOR_CALL = 1,  /* a system call: number, arguments */
    DOOR_CALL_32,   /* the same by int 0x80: eax, ebx, ecx, edx, esi, edi */
    DOOR_COPY,      /* arguments[2] bytes from arguments[1] to arguments[0] */
    DOOR_JUMP,      /* calls the code at number with the arguments */
    DOOR_SIGRETURN, /* rt_sigreturn with the stack pointer at number */
    DOOR_WHERE,     /* an address: number is an enum door_where */
    DOOR_LATER,     /* a call, once, when the zygote serves: what is asked for stays where it is */
    DOOR_INSTRUCTION, /* one instruction: number is an enum door_instruction */
};

enum door_where {
    DOOR_WHERE_MEMORY = 1, /* linear address 0 */
    DOOR_WHERE_CODE,       /* within the program's code */
    DOOR_WHERE_STACK,      /* on the native stack, now */
    DOOR_WHERE_RESUMED,    /* code that makes a refused call, then exits with 77 */
};

/* Instructions that a program in user mode may not execute, or that raise a signal. */
enum door_instruction {
    DOOR_INSTRUCTION_NONE = 0,
#define INSTRUCTION(name, text) DOOR_INSTRUCTION_##name,
#include "tests/escape/instructions.def"
#undef INSTRUCTION
};

struct door_request {
    uint64_t operation;
    uint64_t number;
    uint64_t arguments[DOOR_ARGUMENT_COUNT];
    uint64_t result;
};

#endif
