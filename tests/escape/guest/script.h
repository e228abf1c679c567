/*
 * The language of the attacks: what a job's program is for this guest. A line is
 *
 *     [NAME =] OPERATION WORD...
 *
 *     [NAME =] repeat COUNT OPERATION WORD...
 *
 * A word is a number, the NAME of an earlier result, one of these + one of these, or a "text" (its
 * address on the host). All values have 64 bits. Operations are in the table of operations.c.
 */
#ifndef RETORT_TESTS_ESCAPE_GUEST_SCRIPT_H
#define RETORT_TESTS_ESCAPE_GUEST_SCRIPT_H

/* Runs the lines of text, which is changed. 0, or the number of the line that is not one. */
int script_run(char *text);

#endif
