/* Pages and what they load: files that are part of the program (pages.def). */
#ifndef RETORT_PAGES_H
#define RETORT_PAGES_H

struct exchange;

/* The page of the request's path. */
void pages_handle(struct exchange *exchange);

#endif
