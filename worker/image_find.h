/*
 * Where images are: every directory below one of the roots that has an image.json. The roots
 * follow from where the running program is, so that a build tree and an installation both work
 * and may be moved:
 *
 *     build/release/retort-worker        build/release/image/NAME/, build/image/NAME/
 *     PREFIX/bin/retort-worker           PREFIX/lib/retort/image/NAME/
 */
#ifndef RETORT_IMAGE_FIND_H
#define RETORT_IMAGE_FIND_H

#include <stddef.h>

#include "common/err.h"
#include "worker/image.h"

#define IMAGE_ROOT_COUNT 3

/* Directories, in the order in which they are searched. Need not exist. */
struct image_roots {
    char *path[IMAGE_ROOT_COUNT];
};

/* Those of the running program. Owned: image_roots_fini(). */
int image_roots_init(struct image_roots *roots, struct err *err);
void image_roots_fini(struct image_roots *roots);

/*
 * Opens the image of that language, or the one made from the module with that SHA-256 (NULL: does
 * not matter). 1: found, image_close() it; 0: there is none; -1: one is there and cannot be read.
 */
int image_find(const struct image_roots *roots, const char *language, const char *module_sha256,
               struct image *image, struct err *err);

/* Names of all languages that have an image, as "a, b"; what has no room is left out. */
void image_list_languages(const struct image_roots *roots, char *text, size_t size);

/* DIRECTORY of the running program, without a slash at its end. Caller frees. NULL on error. */
char *program_directory(struct err *err);

#endif
