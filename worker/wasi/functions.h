/* Prototypes of the functions that a guest imports; see functions.def. */
#ifndef RETORT_WASI_FUNCTIONS_H
#define RETORT_WASI_FUNCTIONS_H

#include <stdint.h>

#define WASI_FUNCTION(type, name, ...) type wasi_##name(__VA_ARGS__);
#include "worker/wasi/functions.def"
#undef WASI_FUNCTION

#endif
