/*
 * Which pages of other origins may ask (CORS_ORIGINS), told to their browser with each answer and
 * before a request (Fetch Standard, "CORS protocol"). Never with credentials: a page sends a key
 * that it has itself, and no cookie means anything here.
 *
 * Without keys, on a loopback address, those are the pages of this machine, whatever CORS_ORIGINS
 * says: the gate answers no others.
 */
#ifndef RETORT_CORS_H
#define RETORT_CORS_H

#include "common/err.h"

struct exchange;

/* -1: err says which of the origins is none. */
int cors_check(const char *origins, struct err *err);
/* Adds headers. allow: the methods of the path, when the request is OPTIONS, else "". */
void cors_put(struct exchange *exchange, const char *allow);

#endif
