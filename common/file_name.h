/*
 * Names of files that go into a job and come out of it: paths relative to a directory.
 *
 * Well-formed are 1 to FILE_NAME_BYTES bytes of UTF-8 without control characters: names of 1 to
 * FILE_NAME_PART_BYTES bytes, none of them "." or "..", with one slash between two. So a name
 * means the same to everybody: it cannot leave its directory, and no two spellings name one file.
 */
#ifndef RETORT_FILE_NAME_H
#define RETORT_FILE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define FILE_NAME_BYTES      1024
#define FILE_NAME_PART_BYTES 255
#define FILE_NAME_DEPTH      16 /* parts, of an input file's name */

/*
 * NULL when name is well-formed and has at most `depth` parts; else what is wrong with it, as it
 * follows "the name ": "is empty", ... Static. Pure.
 */
const char *file_name_fault(const char *name, size_t size, size_t depth);
/* Whether two names cannot both be: they are one, or one would lie below the other. Pure. */
bool file_names_collide(const char *a, size_t a_size, const char *b, size_t b_size);

#endif
