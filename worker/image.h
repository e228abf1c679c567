/*
 * An image: a directory with
 *
 *     program        native program (a zygote; see zygote_protocol.h)
 *     tree           its files (worker/wasi/tree.h)
 *     image.json     {"format":1, "language":"python", "module_sha256":"...", "bootstrap":true,
 *                     "argv":["python","-I","/work/main.py"], "env":[],
 *                     "rehearsal":"print(1+1)\n", ...}
 *
 * made by retort-aot. `bootstrap` tells that the module, started with argv, reads
 * WASI_JOB_DEVICE, which is the fork point; without it jobs are forked before _start and get
 * their own arguments. `rehearsal` (optional) is a program that the zygote has run once, in a
 * process of its own, to learn which pages every job is going to need. Who starts the program reads
 * image.json and passes on what stands there.
 */
#ifndef RETORT_IMAGE_H
#define RETORT_IMAGE_H

#include <stdbool.h>

#include "common/err.h"

#define IMAGE_FORMAT 1

struct image {
    char *directory;
    char *language;
    char *module_sha256;
    bool bootstrap;
    char **argv;     /* NULL-terminated */
    char **env;      /* NULL-terminated */
    char *rehearsal; /* or NULL */
};

/* Reads image.json of that directory. Owns what it points to: image_close(). */
int image_open(struct image *image, const char *directory, struct err *err);
void image_close(struct image *image);

#endif
