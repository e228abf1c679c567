"""Indirect calls.

Step call-tables: when the module has one function table, filled once and never changed, every
function type gets a constant table of its own:

    CALL_INDIRECT(instance->w2c_T0, u32 (*)(void*, u32), 2, w2c_i1, ..., w2c_i0)
        ->  CALL_TABLE(2, w2c_i1, (w2c_i0))

The check stays: the index is compared with the table's size, and an entry of another type is
NULL in this type's table, so that calling it faults at address 0, which is never mapped
(worker/engine/trap.c makes CALL_INDIRECT of it).

Without the step, or when the table changes at run time, the checks are wasm2c's: bound, null,
type.
"""
import re

from ..errors import Failure
from ..wasm2c import c_type
from .common import instance_parameter, parameter_list

CALL = re.compile(
    r"CALL_INDIRECT\(instance->(\w+), ((?:struct )?\w+) \(\*\)\(([^()]*)\), (\d+), (\w+), "
    r"instance->\w+\.data\[\w+\]\.module_instance((?:, \w+)*)\)")
TABLE_CHANGES = re.compile(
    r"\b(?:funcref_table_(?:set|get|fill|copy|init)|externref_table_\w+|"
    r"wasm_rt_grow_(?:func|extern)ref_table)\(")


def canonical_types(module):
    """Type index -> first index of an equal type: wasm compares types by structure."""
    first = {}
    return [first.setdefault(t, index) for index, t in enumerate(module.types)]


def apply(program, context):
    constant = "call-tables" in context.enabled
    if constant:
        reason = _not_constant_because(program, context.module)
        if reason:
            program.notes.append(f"call-tables is off: {reason}")
            constant = False
    canonical = canonical_types(context.module)
    used = set()
    instance = [name for _, name in instance_parameter(context)]

    def rewrite(match):
        table, result, params, kind, index, rest = match.groups()
        arguments = ", ".join(instance + [a for a in rest.split(", ") if a])
        if constant:
            used.add(canonical[int(kind)])
            return f"CALL_TABLE({canonical[int(kind)]}, {index}, ({arguments}))"
        c_types = [p for p in params.split(", ") if p not in ("", "void*")]
        pointer = f"{result} (*)({parameter_list(context, c_types)})"
        return f"CALL_FUNCREF(instance->{table}, ({pointer}), {kind}, {index}, ({arguments}))"

    for function in program.functions:
        if "CALL_INDIRECT(" in function.body:
            function.body = CALL.sub(rewrite, function.body)
            if "CALL_INDIRECT(instance" in function.body:
                raise Failure(f"{function.name} has an indirect call that is not understood")
    if constant:
        _emit_tables(program, context, sorted(used), canonical)
        program.helpers.pop("init_tables", None)
        program.elements.clear()
    else:
        kinds = ", ".join(str(c) for c in canonical)
        program.declarations.append(f"extern const u32 func_types[{len(canonical)}];")
        program.definitions.append(f"const u32 func_types[{len(canonical)}] = {{{kinds}}};\n")


def _not_constant_because(program, module):
    """Why the function table is not a constant, in a few words; None when it is."""
    if len(module.tables) != 1:
        return f"the module has {len(module.tables)} tables"
    if module.tables[0][0] != "funcref":
        return "the table does not hold functions"
    for segment in module.elements:
        if segment.mode == "passive" or segment.mode == "active" and segment.offset is None:
            return "a table is filled at run time"
    for function in program.functions:
        if TABLE_CHANGES.search(function.body):
            return f"{function.name} works on the table"
    return None


def table_contents(module):
    """Function index (or None) of each entry of table 0, after start-up."""
    entries = [None] * module.tables[0][1].minimum
    for segment in module.elements:
        if segment.mode != "active":
            continue
        if segment.offset + len(segment.functions) > len(entries):
            raise Failure("the module fills its function table past the end")
        entries[segment.offset:segment.offset + len(segment.functions)] = segment.functions
    return entries


def _emit_tables(program, context, used, canonical):
    module = context.module
    entries = table_contents(module)
    types = [_canonical_of(module, canonical, function) for function in entries]
    names = [f"import_{i.name}" for i in module.imported_functions]
    names += [f.name for f in program.functions]
    size = max(len(entries), 1)  # C has no empty arrays; the bound check uses the true size
    program.declarations.append(f"#define TABLE_ENTRIES {len(entries)}u")
    for kind in used:
        signature = module.types[kind]
        result = result_type(signature)
        params = parameter_list(context, [c_type(t) for t in signature.params])
        head = f"{result} (*const table_{kind}[{size}])({params})"
        rows = ", ".join(f"[{i}] = {names[f]}" for i, f in enumerate(entries)
                         if types[i] == kind)
        program.declarations.append(f"extern {head};")
        program.definitions.append(f"{head} = {{{rows or '0'}}};\n")


def _canonical_of(module, canonical, function):
    if function is None:
        return None
    imported = module.imported_functions
    if function < len(imported):
        return canonical[imported[function].type_index]
    return canonical[module.function_types[function - len(imported)]]


def result_type(signature):
    """The C type that a function of that wasm type returns."""
    if not signature.results:
        return "void"
    if len(signature.results) == 1:
        return c_type(signature.results[0])
    letters = {"i32": "i", "i64": "j", "f32": "f", "f64": "d", "funcref": "r", "externref": "e"}
    return "struct wasm_multi_" + "".join(letters[t] for t in signature.results)
