/* Verdicts: what a user's program did. See verdict.def. */
#ifndef RETORT_VERDICT_H
#define RETORT_VERDICT_H

enum verdict {
    VERDICT_NONE = 0, /* no verdict: the result is an error (err.def) */
#define VERDICT(symbol, name, text) VERDICT_##symbol,
#include "common/verdict.def"
#undef VERDICT
    VERDICT_COUNT
};

/* Name on the wire ("timed_out"); "none" for VERDICT_NONE. Static. */
const char *verdict_name(enum verdict verdict);
/* The verdict of that name; VERDICT_NONE when there is none. */
enum verdict verdict_from_name(const char *name);
/* The table's sentence. Static. */
const char *verdict_text(enum verdict verdict);

#endif
