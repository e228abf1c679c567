/*
 * The page at /admin and what it loads: files of api/web that are part of the program, so that
 * there is no directory to install, to read, or to be led out of.
 */
#ifndef RETORT_WEB_H
#define RETORT_WEB_H

#include "api/exchange.h"

/* GET /admin */
void web_page(struct exchange *exchange);
/* GET /admin/{id}: one of its files, by name. */
void web_file(struct exchange *exchange);
/* GET /admin/about: what the page must know before it has a key. */
void web_about(struct exchange *exchange);

#endif
