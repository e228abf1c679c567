/* Artifacts of a program, written below a directory of the host. */
#ifndef RETORT_RUN_OUTPUTS_H
#define RETORT_RUN_OUTPUTS_H

#include <stdio.h>

#include "common/artifact.h"
#include "common/err.h"

/*
 * Opens the directory, made if there is none (its parent must be there). Returns its descriptor,
 * or -1. Before the program runs, so that a mistake is told at once.
 */
int run_outputs_open(const char *path, struct err *err);
/*
 * Writes each artifact below the directory, making the directories of its name. Nothing that is
 * there already is overwritten, and no link is followed: the names are the program's choice. One
 * sentence to `log` for each that could not be written and each that was refused. -1: at least one
 * could not be written.
 */
int run_outputs_write(int directory_fd, const struct artifacts *artifacts, FILE *log);

#endif
