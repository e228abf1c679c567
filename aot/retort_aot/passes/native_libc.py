"""Step native-libc: bodies of well-known C library functions become calls of the host's.

A function is replaced only when the name section calls it so *and* it has the C function's wasm
signature. The assumption is that whoever built the module did not give that name to something
else; a module for which it does not hold is translated with --no-native-libc. The sandbox does
not depend on it: 32-bit address plus 32-bit size stays inside the reservation, whatever the
arguments, so a bad range faults in the guard pages as the loop in the module would.

memcpy is memmove: for overlapping ranges the host's memcpy does not promise what a wasm loop did.
The mathematical functions are the host's libm, the same that a native interpreter uses.
"""
from ..wasm import FunctionType

_AT = "(MEMORY + (u64){})".format
_COPY = f"    memmove({_AT('a')}, {_AT('b')}, n);\n    return a;\n"


def _search(name, extra):
    """A body that turns the host's found-pointer into a linear address, or 0."""
    return (f"    const u8 *found = {name}({_AT('a')}, (int)b{extra});\n"
            "    return found != NULL ? (u32)(found - MEMORY) : 0;\n")


_I32_3 = FunctionType(("i32", "i32", "i32"), ("i32",))
_I32_2 = FunctionType(("i32", "i32"), ("i32",))
_I32_1 = FunctionType(("i32",), ("i32",))
_F64_1 = FunctionType(("f64",), ("f64",))
_F64_2 = FunctionType(("f64", "f64"), ("f64",))

# name -> (signature, parameter names, body)
NATIVE = {
    "memcpy": (_I32_3, "abn", _COPY),
    "memmove": (_I32_3, "abn", _COPY),
    "memset": (_I32_3, "abn", f"    memset({_AT('a')}, (int)b, n);\n    return a;\n"),
    "memcmp": (_I32_3, "abn", f"    return (u32)memcmp({_AT('a')}, {_AT('b')}, n);\n"),
    "memchr": (_I32_3, "abn", _search("memchr", ", n")),
    "memrchr": (_I32_3, "abn", _search("memrchr", ", n")),
    "strlen": (_I32_1, "a", f"    return (u32)strlen((const char *){_AT('a')});\n"),
    "strcmp": (_I32_2, "ab", "    return (u32)strcmp((const char *)%s, (const char *)%s);\n"
               % (_AT("a"), _AT("b"))),
}
NATIVE.update({name: (_F64_1, "a", f"    return {name}(a);\n") for name in (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan",
    "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc")})
NATIVE.update({name: (_F64_2, "ab", f"    return {name}(a, b);\n") for name in (
    "pow", "fmod", "atan2", "hypot")})


def apply(program, _context):
    replaced = []
    for function in program.functions:
        signature, names, body = NATIVE.get(function.wasm_name, (None, None, None))
        if signature != function.type:
            continue
        function.params = [(c_type, name) for (c_type, _), name in zip(function.params, names)]
        function.body = "\n" + body
        replaced.append(function.wasm_name)
    program.notes.append(f"native bodies: {', '.join(sorted(replaced)) or 'none'}")
