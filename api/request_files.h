/*
 * What the member "files" of all requests is made of: a list of objects, each with a name below
 * /work. What an object has beside that is the surface's.
 */
#ifndef RETORT_REQUEST_FILES_H
#define RETORT_REQUEST_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "api/validation.h"
#include "common/job.h"

/* Where in the request one file stands, and where it goes. All borrowed. */
struct request_files {
    struct job_files *files;
    struct validation *validation;
    size_t number; /* of the file, from 1; 0: the list itself */
};

/* Of that file, or of a member of it; NULL: the whole. */
void request_files_complain(const struct request_files *taking, const char *type,
                            const char *member, const char *message);
/* Whether there are files; a complaint when it is neither a list nor null nor missing. */
bool request_files_is_list(const struct request_files *taking, const struct json_value *value);
/* Else a complaint. */
bool request_files_is_object(const struct request_files *taking, const struct json_value *file);
/* Text of a string member, borrowed; NULL and a complaint when it is missing or something else. */
const char *request_files_text(const struct request_files *taking, const struct json_value *file,
                               const char *member, size_t *size);
/* Whether the job may have a file of that name (common/file_name.h); else a complaint of member. */
bool request_files_name_is_good(const struct request_files *taking, const char *member,
                                const char *name, size_t size);

#endif
