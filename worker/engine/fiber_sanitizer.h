/*
 * AddressSanitizer must be told when the stack changes. In other builds these do nothing.
 *
 *     fiber_sanitizer_begin()     a new stack
 *     fiber_sanitizer_leave()     just before the switch
 *     fiber_sanitizer_arrived()   just after it, with what belongs to the stack arrived at
 */
#ifndef RETORT_ENGINE_FIBER_SANITIZER_H
#define RETORT_ENGINE_FIBER_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_SANITIZED 1
#endif
#endif

#ifdef FIBER_SANITIZED

#include <sanitizer/common_interface_defs.h>

struct fiber_sanitizer {
    void *fake_stack;
    const void *low;
    size_t bytes;
    struct fiber_sanitizer *from; /* who switched here; its stack may have been unknown */
};

static inline void
fiber_sanitizer_begin(struct fiber_sanitizer *self, const uint8_t *low, const uint8_t *top)
{
    *self = (struct fiber_sanitizer){.low = low, .bytes = (size_t)(top - low)};
}

static inline void
fiber_sanitizer_leave(struct fiber_sanitizer *from, struct fiber_sanitizer *to, bool for_good)
{
    to->from = from;
    __sanitizer_start_switch_fiber(for_good ? NULL : &from->fake_stack, to->low, to->bytes);
}

static inline void
fiber_sanitizer_arrived(struct fiber_sanitizer *self)
{
    __sanitizer_finish_switch_fiber(self->fake_stack, &self->from->low, &self->from->bytes);
}

#else

struct fiber_sanitizer {
    char unused;
};

static inline void
fiber_sanitizer_begin(struct fiber_sanitizer *self, const uint8_t *low, const uint8_t *top)
{
    (void)self, (void)low, (void)top;
}

static inline void
fiber_sanitizer_leave(struct fiber_sanitizer *from, struct fiber_sanitizer *to, bool for_good)
{
    (void)from, (void)to, (void)for_good;
}

static inline void
fiber_sanitizer_arrived(struct fiber_sanitizer *self)
{
    (void)self;
}

#endif

#endif
