"""Step constant-base: loads and stores through plain pointers at a constant base address.

    i32_load8_u(&instance->w2c_memory, (u64)(w2c_i0) + 5u)  ->  LOAD(u8, u32, u32, w2c_i0, 5ull)

The address stays a 32-bit number, the offset a constant of 32 bits: their sum lies inside the
reservation (worker/engine/memory.c), so the check that wasm2c leaves to the guard pages stays.
What goes is the barrier that makes a load happen whose value nobody uses: such a load may be
dropped, and then does not trap.
"""
import re

from ..errors import Failure
from .common import everything

# name -> type in memory, type it is extended through, type of the result
LOADS = {
    "i32_load": ("u32", "u32", "u32"), "i64_load": ("u64", "u64", "u64"),
    "f32_load": ("f32", "f32", "f32"), "f64_load": ("f64", "f64", "f64"),
    "i32_load8_s": ("s8", "s32", "u32"), "i64_load8_s": ("s8", "s64", "u64"),
    "i32_load8_u": ("u8", "u32", "u32"), "i64_load8_u": ("u8", "u64", "u64"),
    "i32_load16_s": ("s16", "s32", "u32"), "i64_load16_s": ("s16", "s64", "u64"),
    "i32_load16_u": ("u16", "u32", "u32"), "i64_load16_u": ("u16", "u64", "u64"),
    "i64_load32_s": ("s32", "s64", "u64"), "i64_load32_u": ("u32", "u64", "u64"),
}
# name -> type in memory
STORES = {
    "i32_store": "u32", "i64_store": "u64", "f32_store": "f32", "f64_store": "f64",
    "i32_store8": "u8", "i32_store16": "u16", "i64_store8": "u8", "i64_store16": "u16",
    "i64_store32": "u32",
}
LARGEST_OFFSET = 0xFFFFFFFF


def apply(program, _context):
    access = re.compile(
        r"\b([if](?:32|64)_(?:load|store)\w*)\(&instance->%s, \(u64\)\((\w+)\)(?: \+ (\d+)u?)?([,)])"
        % re.escape(program.memory_field))
    leftover = re.compile(r"\b[if](?:32|64)_(?:load|store)\w*\(&?instance")
    for function in everything(program):
        function.body = access.sub(_rewrite, function.body)
        if leftover.search(function.body):
            raise Failure(f"{function.name} has a load or store that is not understood")


def _rewrite(match):
    name, address, offset, end = match[1], match[2], int(match[3] or 0), match[4]
    if offset > LARGEST_OFFSET:
        raise Failure(f"a load or store has the offset {offset}, which is not a 32-bit number")
    if name in LOADS and end == ")":
        memory, extend, result = LOADS[name]
        return f"LOAD({memory}, {extend}, {result}, {address}, {offset}ull)"
    if name in STORES and end == ",":
        return f"STORE({STORES[name]}, {address}, {offset}ull,"
    raise Failure(f"{match[0]} is not a load or store that is understood")
