/*
 * The layers of isolation around a job process: the rows of layers.def. What a zygote's start
 * could not have is reported by row (zygote_protocol.h); layers_look.h looks from outside.
 */
#ifndef RETORT_LAYERS_H
#define RETORT_LAYERS_H

#include <stdbool.h>

enum layer {
#define LAYER(symbol, name, look, detail, without, remedy) LAYER_##symbol,
#include "worker/layers.def"
#undef LAYER
    LAYER_COUNT
};

/* What the zygote's start says of one layer. */
struct layer_report {
    bool told;      /* it could not be had; the rest is valid */
    int sys_errno;  /* 0: not a failed call */
    char text[180]; /* the step, or the reason */
};

#endif
