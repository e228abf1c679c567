/* The event loop of whoever stops programs at their wall clock. */
#ifndef RETORT_LOOP_H
#define RETORT_LOOP_H

#include <event2/event.h>

/*
 * A base whose timers go off to the microsecond; libevent's own are whole milliseconds of a coarse
 * clock. NULL: out of memory or descriptors.
 */
struct event_base *loop_new(void);

#endif
