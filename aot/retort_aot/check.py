"""Is this module one that can become an image? If not, one sentence says why."""
import re

from . import wasm
from .errors import Failure

WASI_MODULE = "wasi_snapshot_preview1"
FIBER_MAIN = "retort_fiber_main"
C_TO_WASM = {"uint32_t": "i32", "uint64_t": "i64"}


def wasi_functions(definitions_path):
    """name -> FunctionType, from the WASI host's own table (worker/wasi/functions.def)."""
    with open(definitions_path, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    functions = {}
    for returns, name, params in re.findall(
            r"WASI_FUNCTION\(([^,]+), (\w+), ([^)]*)\)", text):
        types = [] if params.strip() == "void" else [p.split()[0] for p in params.split(",")]
        result = returns.split()[-1]
        functions[name] = wasm.FunctionType(
            tuple(C_TO_WASM[t] for t in types),
            () if result == "void" else (C_TO_WASM[result],))
    return functions


def check(module, wasi):
    """Raises Failure unless the module is a WASI preview 1 command that exports its memory."""
    _check_imports(module, wasi)
    if module.exports.get("_start", (None,))[0] != wasm.KIND_FUNCTION:
        raise Failure("the module is not a WASI command: it exports no function _start "
                      "(a reactor or a library cannot become an image)")
    start = module.type_of(module.exports["_start"][1])
    if start != wasm.FunctionType((), ()):
        raise Failure(f"the module's _start has the type {start}; a WASI command's has none")
    if len(module.memories) != 1 or module.exports.get("memory") != (wasm.KIND_MEMORY, 0):
        raise Failure("the module must define one memory and export it as \"memory\"")
    if any("v128" in t.params + t.results for t in module.types):
        raise Failure("the module uses SIMD, which wasm2c 1.0.32 cannot translate; "
                      "compile it without -msimd128")
    size = module.memories[0].minimum * wasm.PAGE_BYTES
    for segment in module.data:
        if not segment.passive and segment.offset + len(segment.data) > size:
            raise Failure(f"the module places data at {segment.offset}, past its memory's end")


def _check_imports(module, wasi):
    foreign = sorted({f"{i.module}.{i.name} ({wasm.KIND_NAMES[i.kind]})" for i in module.imports
                      if i.kind != wasm.KIND_FUNCTION or i.module != WASI_MODULE
                      or i.name not in wasi})
    if foreign:
        raise Failure("the module imports what WASI preview 1 does not have: "
                      + ", ".join(foreign))
    for item in module.imports:
        have, want = module.types[item.type_index], wasi[item.name]
        if have != want:
            raise Failure(f"the module imports {item.name} with the type {have}; "
                          f"WASI preview 1 has {want}")


def fiber_main(module):
    """Index of the function through which fibers are entered (worker/engine/fiber.h), or None."""
    if FIBER_MAIN not in module.exports:
        return None
    kind, index = module.exports[FIBER_MAIN]
    if kind != wasm.KIND_FUNCTION or module.type_of(index) != wasm.FunctionType(("i32",), ()) \
            or index < len(module.imported_functions):
        raise Failure(f"the module exports {FIBER_MAIN}, but not as a function of its own of the "
                      "type (i32) -> ()")
    if not _has_stack_pointer(module):
        raise Failure(f"the module exports {FIBER_MAIN}, but its first global is no stack pointer")
    return index


def _has_stack_pointer(module):
    """wasm-ld puts the shadow stack's pointer first."""
    if not module.globals:
        return False
    stack = module.globals[0]
    return stack.mutable and stack.value_type == "i32" and stack.initial is not None


def fits_base_zero(module):
    """Can a linear address be the host address? Only if the module never needs its first 64 KiB.

    True for modules linked with the stack first (wasm-ld --stack-first, or -z stack-size with
    clang's WASI defaults of later versions): the shadow stack's end lies in the first 64 KiB,
    all data above the stack.
    """
    lowest = min((s.offset for s in module.data if not s.passive and s.data), default=0)
    if lowest < wasm.PAGE_BYTES or not _has_stack_pointer(module):
        return False
    return wasm.PAGE_BYTES < module.globals[0].initial <= lowest
