"""Writes the rewritten program as C: one header, N units of functions, module.c, the data blob.

Data segments go into one binary file (.incbin) and a table of (offset, length): modules with
tens of thousands of segments do not compile as C text.
"""
import re

from . import check, wasm
from .errors import Failure
from .passes.common import instance_parameter, parameter_list
from .source import Source, Unit

BASE_ELSEWHERE = 0x200000000000  # free in every layout of x86-64 Linux, AddressSanitizer's too
HIDDEN_ON, HIDDEN_OFF = "#pragma GCC visibility push(hidden)\n", "#pragma GCC visibility pop\n"


def emit(program, context, sha256, base, unit_count):
    """The Source of a program. base: host address of linear address 0."""
    units = _function_units(program, context, unit_count)
    data, segments, passive = _data(program, context.module)
    header = _header(program, context, base, passive)
    units.append(Unit("module", _module_unit(program, context, sha256, base, segments)))
    units.append(Unit("data", DATA_UNIT, suffix=".S"))
    return Source(header, tuple(units), data, tuple(program.notes))


def _function_units(program, context, unit_count):
    """Splits in units of about equal size; the evaluation loop gets a unit of its own."""
    dispatch = [f for f in program.functions
                if context.dispatch and f.wasm_name == context.dispatch]
    rest = [f for f in program.functions if f not in dispatch] if dispatch else program.functions
    share = sum(len(f.body) for f in rest) / unit_count
    groups, size = [[] for _ in range(unit_count)], 0
    for function in rest:
        groups[min(int(size / share) if share else 0, unit_count - 1)].append(function)
        size += len(function.body)
    units = [Unit("dispatch", _unit_text(context, dispatch), is_dispatch=True)] if dispatch else []
    return units + [Unit(f"unit_{i}", _unit_text(context, group))
                    for i, group in enumerate(groups) if group]


def _unit_text(context, functions):
    return '#include "module.h"\n' + "".join(define(context, f) for f in functions)


def define(context, function, storage=""):
    params = instance_parameter(context) + function.params
    listed = ", ".join(f"{t} {n}" for t, n in params) or "void"
    return (f"\n{function.attributes}{storage}{function.result}\n"
            f"{function.name}({listed})\n{{{function.body}}}\n")


def _header(program, context, base, passive):
    constant = "constant-base" in context.enabled
    parts = ["/* Made by retort-aot. */\n"]
    if constant:
        parts.append(f"#define MEMORY_BASE 0x{base:x}ull\n")
    parts += ['#include "aot/runtime/wasm.h"\n', program.structs, "\n", program.arithmetic,
              HIDDEN_ON, "struct instance {\n"]
    fields = [f for f in program.instance_fields
              if not constant or not f.startswith("wasm_rt_memory_t ")]
    parts += [f"    {f}\n" for f in fields or ["char unused;"]]
    parts += ["};\nextern struct instance module_instance;\nextern const u8 module_data[];\n"]
    parts += [f"#define {name} (module_data + {offset})\n" for name, offset in passive]
    parts += [f"extern const wasm_elem_segment_expr_t {name}[];\n" for name in program.elements]
    parts += [f"{f.result} {f.name}({parameter_list(context, [t for t, _ in f.params])});\n"
              for f in program.functions]
    parts += [declaration + "\n" for declaration in program.declarations]
    parts.append(HIDDEN_OFF)
    return "".join(parts)


DATA_UNIT = """\
    .section .rodata
    .balign 64
    .globl module_data
    .hidden module_data
module_data:
    .incbin "data.bin"
    .byte 0
    .section .note.GNU-stack,"",@progbits
"""


def _data(program, module):
    """(blob, rows of active segments, (C name, blob offset) of passive ones)."""
    blob, active, passive = bytearray(), [], []
    names = iter(program.data_names)
    for segment in module.data:
        if not segment.data:
            continue
        name = next(names, None)
        if name is None:
            raise Failure("wasm2c printed fewer data segments than the module has")
        if segment.passive:
            passive.append((name, len(blob)))
        else:
            active.append((len(blob), segment.offset, len(segment.data)))
        blob += segment.data
    return bytes(blob), active, passive


MODULE_INIT = """
static const struct segment {
    u64 blob_offset;
    u32 address, bytes;
} segments[] = {
%(segments)s    {0, 0, 0},
};

void
engine_module_init(void)
{
    for (const struct segment *segment = segments; segment->bytes > 0; segment++)
        memcpy(MEMORY + segment->address, module_data + segment->blob_offset, segment->bytes);
%(init)s}

void
engine_module_start(void)
{
%(start)s}
"""


def _module_unit(program, context, sha256, base, segments):
    module = context.module
    limits = module.memories[0]
    maximum = min(limits.maximum if limits.maximum >= 0 else 65536, 65536)
    enter_fiber, fiber_facts = _fibers(program, context)
    facts = (f'const struct engine_module engine_module = {{\n    .sha256 = "{sha256}",\n'
             f"    .memory_base = 0x{base:x}ull,\n    .initial_pages = {limits.minimum},\n"
             f"    .maximum_pages = {maximum},\n"
             f"    .unmapped_low_bytes = {wasm.PAGE_BYTES if base == 0 else 0},\n"
             f"{fiber_facts}}};\n")
    parts = ['#include "module.h"\n\nstruct instance module_instance;\n', enter_fiber, facts]
    parts += [f"\nconst wasm_elem_segment_expr_t {name}[] = {{{body}}};\n"
              for name, body in program.elements.items()]
    parts += ["\n" + text for text in program.definitions]
    parts += [define(context, helper, "static ") for helper in program.helpers.values()]
    rows = "".join(f"    {{{o}u, {a}u, {n}u}},\n" for o, a, n in segments)
    parts.append(MODULE_INIT % {"segments": rows, "init": _init(program, context),
                                "start": _start(program, context)})
    return "".join(parts)


ENTER_FIBER = """
static void
enter_fiber(u32 argument)
{
%s}

"""


def _fibers(program, context):
    """(the function that enters a fiber, its rows of engine_module), or nothing of both."""
    module = context.module
    index = check.fiber_main(module)
    if index is None:
        return "", ""
    # Globals come first in the instance, the stack pointer first among them.
    field = re.fullmatch(r"u32 (\w+);", program.instance_fields[0])
    if not field or f"{field[1]} = {module.globals[0].initial}u;" \
            not in program.helpers["init_globals"].body:
        raise Failure("wasm2c's output has no stack pointer where it is expected")
    name = program.functions[index - len(module.imported_functions)].name
    return (ENTER_FIBER % _call(context, name, "argument"),
            f"    .stack_pointer = &module_instance.{field[1]},\n    .fiber_main = enter_fiber,\n")


def _call(context, name, *arguments):
    listed = ["&module_instance"] * bool(instance_parameter(context)) + list(arguments)
    return f"    {name}({', '.join(listed)});\n"


def _init(program, context):
    lines = [_call(context, name) for name in program.helpers]
    if "constant-base" not in context.enabled:
        lines.insert(0, f"    module_instance.{program.memory_field}.data = MEMORY;\n")
    return "".join(lines)


def _start(program, context):
    module = context.module
    imported = len(module.imported_functions)
    called = [] if module.start is None else [module.start]
    called.append(module.exports["_start"][1])
    if any(index < imported for index in called):
        raise Failure("the module starts with an imported function")
    return "".join(_call(context, program.functions[index - imported].name) for index in called)
