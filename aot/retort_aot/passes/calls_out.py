"""Always on: everything by which a function reaches outside itself gets our own names.

WASI imports become direct calls of wasi_<name>(), memory.size and memory.grow go to the engine,
bulk memory operations lose the memory parameter (there is one memory), function references lose
the instance (there is one instance).
"""
import re

from ..check import WASI_MODULE
from ..errors import Failure
from .common import everything

IMPORT_CALL = re.compile(
    r"\(\*Z_%sZ_(\w+)\)\(instance->Z_%s_instance(?:, )?" % (WASI_MODULE, WASI_MODULE))
FUNCTION_REFERENCE = re.compile(
    r"\(wasm_rt_funcref_t\)\{func_types\[(\d+)\], "
    r"\(wasm_rt_function_ptr_t\)&?(\w+), [^{}]*\}")
ELEMENT = re.compile(r"\{(\d+), \(wasm_rt_function_ptr_t\)&?(\w+), [^{}]*\}")
IMPORT_SYMBOL = re.compile(r"\bZ_%sZ_(\w+)" % WASI_MODULE)


def apply(program, context):
    memory = re.escape(f"instance->{program.memory_field}")
    bulk = re.compile(r"\bmemory_(fill|copy|init)\((?:&%s, )+" % memory)
    grow = re.compile(r"\bwasm_rt_grow_memory\(&%s, " % memory)
    size = re.compile(r"%s\.pages\b" % memory)
    for function in everything(program):
        body = function.body
        if "Z_" in body:
            body = IMPORT_CALL.sub(r"wasi_\1(", body)
            body = FUNCTION_REFERENCE.sub(_reference, body)
        body = FUNCTION_REFERENCE.sub(_reference, body) if "wasm_rt_funcref_t)" in body else body
        if memory.replace("\\", "") in body:
            body = bulk.sub(r"memory_\1(", body)
            body = grow.sub("engine_memory_grow(", body)
            body = size.sub("memory_pages()", body)
        if IMPORT_SYMBOL.search(body):
            raise Failure(f"{function.name} uses an import in a way that is not understood")
        function.body = body
    _rename_elements(program)
    _wrap_referenced_imports(program, context)


def _reference(match):
    return "(wasm_rt_funcref_t){func_types[%s], (wasm_rt_function_ptr_t)%s}" % (
        match[1], _symbol(match[2]))


def _symbol(name):
    """Imports are referenced through wrappers that take what every function takes."""
    return IMPORT_SYMBOL.sub(r"import_\1", name)


def _rename_elements(program):
    for name, text in program.elements.items():
        program.elements[name] = ELEMENT.sub(
            lambda m: "{%s, (wasm_rt_function_ptr_t)%s}" % (m[1], _symbol(m[2])), text)


def _wrap_referenced_imports(program, context):
    """Every import gets a wrapper: tables hold functions of one calling convention."""
    from .common import instance_parameter
    from ..wasm2c import c_type
    # A module may import a function more than once; Go and AssemblyScript do.
    unique = {item.name: item for item in context.module.imported_functions}
    for item in unique.values():
        kind = context.module.types[item.type_index]
        params = [(c_type(t), f"p{i}") for i, t in enumerate(kind.params)]
        result = c_type(kind.results[0]) if kind.results else "void"
        listed = ", ".join(f"{t} {n}" for t, n in instance_parameter(context) + params) or "void"
        arguments = ", ".join(n for _, n in params)
        program.declarations.append(f"{result} import_{item.name}({listed});")
        keyword = "return " if kind.results else ""
        program.definitions.append(
            f"{result}\nimport_{item.name}({listed})\n{{\n"
            f"    {keyword}wasi_{item.name}({arguments});\n}}\n")
