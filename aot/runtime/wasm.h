/*
 * What the units of a translated module stand on: types, memory accesses, tables, traps.
 *
 * Included by the module.h that retort-aot writes. MEMORY_BASE is defined there when the base
 * address of linear memory is a constant of the code; the names below are those that wasm2c's
 * function bodies use, so some are not ours to choose.
 */
#ifndef RETORT_AOT_WASM_H
#define RETORT_AOT_WASM_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/engine/engine.h"
#include "worker/wasi/functions.h"

typedef uint8_t u8;
typedef int8_t s8;
typedef uint16_t u16;
typedef int16_t s16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;
typedef float f32;
typedef double f64;

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* ---- traps: wasm2c's names for them --------------------------------------------------------- */
#define TRAP(name)              (engine_trap(TRAP_##name), 0)
#define TRAP_UNREACHABLE        ENGINE_TRAP_UNREACHABLE
#define TRAP_OOB                ENGINE_TRAP_OUT_OF_BOUNDS
#define TRAP_CALL_INDIRECT      ENGINE_TRAP_CALL_INDIRECT
#define TRAP_DIV_BY_ZERO        ENGINE_TRAP_DIVIDE_BY_ZERO
#define TRAP_INT_OVERFLOW       ENGINE_TRAP_INTEGER_OVERFLOW
#define TRAP_INVALID_CONVERSION ENGINE_TRAP_INVALID_CONVERSION
#define UNREACHABLE             TRAP(UNREACHABLE)
/* The depth of calls is bounded by the host's stack (worker/engine/trap.c). */
#define FUNC_PROLOGUE
#define FUNC_EPILOGUE

/* ---- memory --------------------------------------------------------------------------------- */
typedef struct {
    u8 *data;
} wasm_rt_memory_t;

#ifdef MEMORY_BASE

#define MEMORY    ((u8 *)MEMORY_BASE)
/* Wasm accesses need no alignment and have no type; these pointers alias everything. */
#define UNALIGNED __attribute__((may_alias, aligned(1)))
typedef u8 UNALIGNED u8_unaligned;
typedef s8 UNALIGNED s8_unaligned;
typedef u16 UNALIGNED u16_unaligned;
typedef s16 UNALIGNED s16_unaligned;
typedef u32 UNALIGNED u32_unaligned;
typedef s32 UNALIGNED s32_unaligned;
typedef u64 UNALIGNED u64_unaligned;
typedef s64 UNALIGNED s64_unaligned;
typedef f32 UNALIGNED f32_unaligned;
typedef f64 UNALIGNED f64_unaligned;

/* The address is a u32, the offset a constant below 2^32: the sum stays in the reservation. */
#define LOAD(memory, extend, result, address, offset)                                              \
    ((result)(extend) * (const memory##_unaligned *)((MEMORY + (u64)(address)) + (offset)))
#define STORE(memory, address, offset, value)                                                      \
    (*(memory##_unaligned *)((MEMORY + (u64)(address)) + (offset)) = (memory)(value))

#else

#define MEMORY ((u8 *)(uintptr_t)engine_module.memory_base)
/* The empty asm makes the load happen, and so trap, even if nobody uses its value. */
#define DEFINE_LOAD(name, memory_type, extend, result_type)                                        \
    static inline result_type name(const wasm_rt_memory_t *memory, u64 address)                    \
    {                                                                                              \
        memory_type value;                                                                         \
        memcpy(&value, &memory->data[address], sizeof(value));                                     \
        __asm__("" ::"r"(value));                                                                  \
        return (result_type)(extend)value;                                                         \
    }
#define DEFINE_FLOAT_LOAD(name, type)                                                              \
    static inline type name(const wasm_rt_memory_t *memory, u64 address)                           \
    {                                                                                              \
        type value;                                                                                \
        memcpy(&value, &memory->data[address], sizeof(value));                                     \
        __asm__("" ::"x"(value));                                                                  \
        return value;                                                                              \
    }
#define DEFINE_STORE(name, memory_type, value_type)                                                \
    static inline void name(const wasm_rt_memory_t *memory, u64 address, value_type value)         \
    {                                                                                              \
        memory_type wrapped = (memory_type)value;                                                  \
        memcpy(&memory->data[address], &wrapped, sizeof(wrapped));                                 \
    }

DEFINE_LOAD(i32_load, u32, u32, u32)
DEFINE_LOAD(i64_load, u64, u64, u64)
DEFINE_FLOAT_LOAD(f32_load, f32)
DEFINE_FLOAT_LOAD(f64_load, f64)
DEFINE_LOAD(i32_load8_s, s8, s32, u32)
DEFINE_LOAD(i64_load8_s, s8, s64, u64)
DEFINE_LOAD(i32_load8_u, u8, u32, u32)
DEFINE_LOAD(i64_load8_u, u8, u64, u64)
DEFINE_LOAD(i32_load16_s, s16, s32, u32)
DEFINE_LOAD(i64_load16_s, s16, s64, u64)
DEFINE_LOAD(i32_load16_u, u16, u32, u32)
DEFINE_LOAD(i64_load16_u, u16, u64, u64)
DEFINE_LOAD(i64_load32_s, s32, s64, u64)
DEFINE_LOAD(i64_load32_u, u32, u64, u64)
DEFINE_STORE(i32_store, u32, u32)
DEFINE_STORE(i64_store, u64, u64)
DEFINE_STORE(f32_store, f32, f32)
DEFINE_STORE(f64_store, f64, f64)
DEFINE_STORE(i32_store8, u8, u32)
DEFINE_STORE(i32_store16, u16, u32)
DEFINE_STORE(i64_store8, u8, u64)
DEFINE_STORE(i64_store16, u16, u64)
DEFINE_STORE(i64_store32, u32, u64)

#endif

static inline u32
memory_pages(void)
{
    return (u32)(engine_memory_bytes() / ENGINE_PAGE_BYTES);
}

/* Bulk operations check their whole range first: they trap without having written anything. */
static inline u8 *
memory_range(u32 address, u32 size)
{
    if (UNLIKELY((u64)address + size > engine_memory_bytes()))
        TRAP(OOB);
    return MEMORY + (u64)address;
}

static inline void
memory_fill(u32 address, u32 value, u32 size)
{
    memset(memory_range(address, size), (int)value, size);
}

static inline void
memory_copy(u32 to, u32 from, u32 size)
{
    u8 *target = memory_range(to, size);
    memmove(target, memory_range(from, size), size);
}

/* segment_bytes is 0 once the segment was dropped. */
static inline void
memory_init(const u8 *segment, u32 segment_bytes, u32 to, u32 from, u32 size)
{
    u8 *target = memory_range(to, size);
    if (UNLIKELY((u64)from + size > segment_bytes))
        TRAP(OOB);
    if (size > 0)
        memcpy(target, segment + from, size);
}

/* ---- indirect calls through constant tables, one per type ----------------------------------- */
/* A missing function, or one of another type, is NULL here and faults at address 0. */
#define CALL_TABLE(type, index, arguments)                                                         \
    ((LIKELY((index) < TABLE_ENTRIES) || TRAP(CALL_INDIRECT)), table_##type[index] arguments)

/* ---- tables that may change ----------------------------------------------------------------- */
typedef void (*wasm_rt_function_ptr_t)(void);

typedef struct {
    u32 func_type; /* index of the first equal type of the module */
    wasm_rt_function_ptr_t func;
} wasm_rt_funcref_t;

typedef void *wasm_rt_externref_t;

static const wasm_rt_funcref_t wasm_rt_funcref_null_value = {0, NULL};
static const wasm_rt_externref_t wasm_rt_externref_null_value = NULL;

typedef struct {
    u32 func_type_index;
    wasm_rt_function_ptr_t func;
} wasm_elem_segment_expr_t;

#define CALL_FUNCREF(table, cast, type, index, arguments)                                          \
    ((LIKELY((index) < table.size && table.data[index].func != NULL &&                             \
             table.data[index].func_type == func_types[type]) ||                                   \
      TRAP(CALL_INDIRECT)),                                                                        \
     (cast table.data[index].func)arguments)

/* What the host gives a table at most, whatever maximum the module declares. */
#define TABLE_LIMIT 10000000u

#define DEFINE_TABLE(kind)                                                                         \
    typedef struct {                                                                               \
        wasm_rt_##kind##_t *data;                                                                  \
        u32 max_size;                                                                              \
        u32 size;                                                                                  \
    } wasm_rt_##kind##_table_t;                                                                    \
                                                                                                   \
    static inline u32 wasm_rt_grow_##kind##_table(wasm_rt_##kind##_table_t *table, u32 delta,      \
                                                  wasm_rt_##kind##_t initial)                      \
    {                                                                                              \
        u64 wanted = (u64)table->size + delta;                                                     \
        u32 old_size = table->size;                                                                \
        if (wanted > table->max_size || wanted > TABLE_LIMIT)                                      \
            return UINT32_MAX;                                                                     \
        void *data = realloc(table->data, (wanted + 1) * sizeof(initial));                         \
        if (data == NULL)                                                                          \
            return UINT32_MAX;                                                                     \
        table->data = data;                                                                        \
        table->size = (u32)wanted;                                                                 \
        for (u32 i = old_size; i < table->size; i++)                                               \
            table->data[i] = initial;                                                              \
        return old_size;                                                                           \
    }                                                                                              \
                                                                                                   \
    static inline void wasm_rt_allocate_##kind##_table(wasm_rt_##kind##_table_t *table, u32 size,  \
                                                       u32 max_size)                               \
    {                                                                                              \
        *table = (wasm_rt_##kind##_table_t){NULL, max_size, 0};                                    \
        if (wasm_rt_grow_##kind##_table(table, size, wasm_rt_##kind##_null_value) == UINT32_MAX)   \
            abort();                                                                               \
    }                                                                                              \
                                                                                                   \
    static inline void kind##_table_range(const wasm_rt_##kind##_table_t *table, u32 at, u32 n)    \
    {                                                                                              \
        if (UNLIKELY((u64)at + n > table->size))                                                   \
            TRAP(OOB);                                                                             \
    }                                                                                              \
                                                                                                   \
    static inline wasm_rt_##kind##_t kind##_table_get(const wasm_rt_##kind##_table_t *table,       \
                                                      u32 at)                                      \
    {                                                                                              \
        kind##_table_range(table, at, 1);                                                          \
        return table->data[at];                                                                    \
    }                                                                                              \
                                                                                                   \
    static inline void kind##_table_set(const wasm_rt_##kind##_table_t *table, u32 at,             \
                                        wasm_rt_##kind##_t value)                                  \
    {                                                                                              \
        kind##_table_range(table, at, 1);                                                          \
        table->data[at] = value;                                                                   \
    }                                                                                              \
                                                                                                   \
    static inline void kind##_table_fill(const wasm_rt_##kind##_table_t *table, u32 at,            \
                                         wasm_rt_##kind##_t value, u32 n)                          \
    {                                                                                              \
        kind##_table_range(table, at, n);                                                          \
        for (u32 i = 0; i < n; i++)                                                                \
            table->data[at + i] = value;                                                           \
    }                                                                                              \
                                                                                                   \
    static inline void kind##_table_copy(const wasm_rt_##kind##_table_t *to,                       \
                                         const wasm_rt_##kind##_table_t *from, u32 to_at,          \
                                         u32 from_at, u32 n)                                       \
    {                                                                                              \
        kind##_table_range(to, to_at, n);                                                          \
        kind##_table_range(from, from_at, n);                                                      \
        memmove(to->data + to_at, from->data + from_at, n * sizeof(*to->data));                    \
    }

DEFINE_TABLE(funcref)
DEFINE_TABLE(externref)

/* segment_size is 0 once the segment was dropped. */
#define funcref_table_init(table, segment, segment_size, to, from, n, instance, types)             \
    table_init(table, segment, segment_size, to, from, n, types)

static inline void
table_init(const wasm_rt_funcref_table_t *table, const wasm_elem_segment_expr_t *segment,
           u32 segment_size, u32 to, u32 from, u32 n, const u32 *types)
{
    if (UNLIKELY((u64)from + n > segment_size))
        TRAP(OOB);
    funcref_table_range(table, to, n);
    for (u32 i = 0; i < n; i++) {
        const wasm_elem_segment_expr_t *source = &segment[from + i];
        table->data[to + i] = (wasm_rt_funcref_t){types[source->func_type_index], source->func};
    }
}

static inline void
externref_table_init(const wasm_rt_externref_table_t *table, u32 segment_size, u32 to, u32 from,
                     u32 n)
{
    if (UNLIKELY((u64)from + n > segment_size))
        TRAP(OOB);
    externref_table_fill(table, to, wasm_rt_externref_null_value, n);
}

#endif
