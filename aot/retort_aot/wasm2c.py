"""Runs wabt's wasm2c and takes its output apart into functions.

The tool is written for the text that version 1.0.32 prints and refuses others. Kept from that
text: the bodies of functions, the arithmetic helpers, the initial values of globals, the element
segments. Memory, tables, data, imports and start-up are ours (emit.py and runtime/).
"""
import re
import subprocess
from dataclasses import dataclass, field

from .errors import Failure

VERSION = "1.0.32"
MODULE_NAME = "module"
INSTANCE_TYPE = f"Z_{MODULE_NAME}_instance_t"


@dataclass
class Function:
    name: str       # C name, "w2c_..."
    result: str     # C type
    params: list    # of (C type, name); the instance parameter is not among them
    body: str       # between the braces, with its last newline
    type: object = None     # wasm.FunctionType; None for helpers
    wasm_name: str = ""     # from the name section, or ""
    wants_instance: bool = True
    attributes: str = ""    # before the definition


@dataclass
class Program:
    """wasm2c's output, and what the passes make of it."""
    functions: list                  # of Function, in the module's order
    helpers: dict                    # init_globals and the like: name -> Function
    arithmetic: str                  # C text: division, conversion, rotation...
    instance_fields: list            # C declarations
    structs: str                     # C text: results of multi-value functions
    elements: dict                   # name -> initializer text, for table.init
    data_names: list                 # C names of the non-empty data segments, in order
    memory_field: str                # name of the memory in the instance
    declarations: list = field(default_factory=list)  # added by passes, for the header
    definitions: list = field(default_factory=list)   # added by passes, for module.c
    notes: list = field(default_factory=list)         # for the progress log


def check_version(command):
    try:
        shown = subprocess.run([command, "--version"], capture_output=True, text=True,
                               check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        raise Failure(f"{command} cannot be run; install Debian's package wabt") from None
    if shown != VERSION:
        raise Failure(f"{command} is version {shown}; its output is only understood for "
                      f"version {VERSION} (Debian 12's package wabt)")


def translate(command, module_path, directory):
    """Returns (C text, header text)."""
    target = directory / "wasm2c.c"
    done = subprocess.run([command, str(module_path), "-n", MODULE_NAME, "-o", str(target)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise Failure(f"wasm2c cannot translate the module: {lines[0][:300]}")
    return target.read_text(), target.with_suffix(".h").read_text()


def parse(source, header, module):
    """Makes a Program of wasm2c's text and what wasm.py knows of the same module."""
    start = source.find("static bool s_module_initialized")
    if start < 0:
        raise Failure("wasm2c's output has no s_module_initialized; is it another version?")
    program = Program(functions=[], helpers={}, arithmetic=_arithmetic(source[:start]),
                      instance_fields=[], structs="", elements={}, data_names=[],
                      memory_field="")
    _parse_header(program, header)
    for item in _items(source, source.index("\n", start) + 1):
        _add_item(program, *item)
    _match_functions(program, module)
    return program


def _arithmetic(prelude):
    begin = prelude.find("#if defined(_MSC_VER)\n\n// Adapted from")
    end = prelude.find("static inline void memory_fill(")
    if not 0 <= begin < end:
        raise Failure("wasm2c's output has no arithmetic helpers where they are expected")
    return prelude[begin:end]


def _parse_header(program, header):
    match = re.search(r"typedef struct %s \{\n(.*?)\} %s;" % (INSTANCE_TYPE, INSTANCE_TYPE),
                      header, re.S)
    if not match:
        raise Failure("wasm2c's header has no instance structure")
    fields = [line.strip() for line in match[1].splitlines()]
    memories = [re.fullmatch(r"wasm_rt_memory_t (\w+);", f) for f in fields]
    memories = [m[1] for m in memories if m]
    if len(memories) != 1:
        raise Failure("the module has no memory, or more than one")
    program.memory_field = memories[0]
    program.instance_fields = [f for f in fields if not f.startswith("struct Z_")]
    program.structs = "\n".join(re.findall(
        r"^#ifndef wasm_multi_\w+\n.*?^#endif  /\* wasm_multi_\w+ \*/$", header, re.S | re.M))


def _items(source, at):
    """Yields (heading, body) of each item at the top level; body is None for a declaration."""
    end = len(source)
    while at < end:
        line_end = source.find("\n", at)
        line_end = end if line_end < 0 else line_end
        if line_end == at or source.startswith("/*", at):
            at = line_end + 1
            continue
        stop = line_end
        while stop < end and source[stop - 1] not in ";{":  # long signatures are wrapped
            stop = source.find("\n", stop + 1)
            if stop < 0:
                raise Failure("wasm2c's output ends inside a declaration")
        heading = source[at:stop]
        if heading.endswith(";"):
            yield heading, None
            at = stop + 1
            continue
        close = source.find("\n}", stop - 1)
        if close < 0:
            raise Failure(f"wasm2c's output has no end of: {heading[:80]}")
        yield heading, source[stop + 1:close + 1]
        at = source.find("\n", close + 1) + 1 or end


FUNCTION_HEADING = re.compile(
    r"static ((?:struct )?\w+) (\w+)\(%s ?\* ?instance(?:, (.*))?\) \{" % INSTANCE_TYPE, re.S)
HELPERS = ("init_globals", "init_tables", "init_data_instances", "init_elem_instances")
IGNORED = re.compile(r"static void init_(?:memories|func_types|instance_import)\(|"
                     r"static u32 func_types\[|"
                     r"(?:\w+[ *]+)+Z_%s(?:Z_|_init_module|_instantiate|_free)|"
                     r"struct wasm_multi_\w+ Z_%sZ_" % (MODULE_NAME, MODULE_NAME))


def _add_item(program, heading, body):
    if body is None:
        if not re.match(r"static (?:(?:struct )?\w+ w2c_\w+\(|u32 func_types\[)", heading):
            raise Failure(f"wasm2c's output has an unknown declaration: {heading[:80]}")
        return
    match = FUNCTION_HEADING.fullmatch(heading)
    if match and match[2].startswith("w2c_"):
        program.functions.append(Function(match[2], match[1], _params(match[3]), body))
    elif match and match[2] in HELPERS:
        program.helpers[match[2]] = Function(match[2], match[1], [], body)
    elif heading.startswith("static const u8 data_segment_data_"):
        program.data_names.append(re.match(r"static const u8 (\w+)\[", heading)[1])
    elif heading.startswith("static const wasm_elem_segment_expr_t "):
        name = re.match(r"static const wasm_elem_segment_expr_t (\w+)\[", heading)[1]
        program.elements[name] = body
    elif not IGNORED.match(heading):
        raise Failure(f"wasm2c's output has an unknown part: {heading[:80]}")


def _params(text):
    if not text:
        return []
    pairs = [p.split() for p in text.split(",")]
    if any(len(p) != 2 for p in pairs):
        raise Failure(f"wasm2c's output has parameters that cannot be understood: {text[:80]}")
    return [tuple(p) for p in pairs]


def _match_functions(program, module):
    """Gives each function its wasm type and name, and checks that text and module agree."""
    if len(program.functions) != len(module.function_types):
        raise Failure(f"wasm2c printed {len(program.functions)} functions of "
                      f"{len(module.function_types)}")
    first = len(module.imported_functions)
    for number, function in enumerate(program.functions):
        function.type = module.type_of(first + number)
        function.wasm_name = module.function_names.get(first + number, "")
        if tuple(c_type(t) for t in function.type.params) != tuple(t for t, _ in function.params):
            raise Failure(f"wasm2c printed {function.name} with other parameters than its type "
                          f"{function.type}")


C_TYPES = {"i32": "u32", "i64": "u64", "f32": "f32", "f64": "f64",
           "funcref": "wasm_rt_funcref_t", "externref": "wasm_rt_externref_t"}


def c_type(value_type):
    return C_TYPES[value_type]
