/* Looking at the isolation of a job process from outside of it, in /proc. */
#ifndef RETORT_LAYERS_LOOK_H
#define RETORT_LAYERS_LOOK_H

#include <sys/types.h>

#include "common/err.h"
#include "worker/layers.h"

enum layer_state { LAYER_STATE_OFF, LAYER_STATE_ON, LAYER_STATE_UNKNOWN };

struct layer_finding {
    enum layer_state state;
    char why[256];
};

/* A layer's row. Static. */
struct layer_row {
    const char *name, *without, *remedy;
};
const struct layer_row *layer_row(enum layer layer);

/* Off, for the reason of a report that was told. */
void layer_explain(const struct layer_report *report, struct layer_finding *finding);

/*
 * Looks at a job process of that zygote's that waits; reports (LAYER_COUNT) explain what is
 * missing. Blocks until one waits, at most 2 s.
 */
int layers_look(pid_t zygote, const struct layer_report *reports,
                struct layer_finding findings[LAYER_COUNT], struct err *err);

#endif
