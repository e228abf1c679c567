"""Reads what the tool must know of a WebAssembly binary: everything but the instructions.

Instructions are wasm2c's business. Limits and facts that the generated code depends on (types,
tables, data segments, the stack pointer) are taken from here, not guessed from C text.
"""
import struct
from dataclasses import dataclass, field

from .errors import Failure

PAGE_BYTES = 65536
VALUE_TYPES = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128",
               0x70: "funcref", 0x6F: "externref"}
KIND_FUNCTION, KIND_TABLE, KIND_MEMORY, KIND_GLOBAL, KIND_TAG = range(5)
KIND_NAMES = {KIND_FUNCTION: "function", KIND_TABLE: "table", KIND_MEMORY: "memory",
              KIND_GLOBAL: "global", KIND_TAG: "tag"}


@dataclass(frozen=True)
class FunctionType:
    params: tuple
    results: tuple

    def __str__(self):
        return f"({', '.join(self.params)}) -> ({', '.join(self.results)})"


@dataclass(frozen=True)
class Import:
    module: str
    name: str
    kind: int
    type_index: int  # of a function, else -1


@dataclass(frozen=True)
class Limits:
    minimum: int
    maximum: int  # -1: none given


@dataclass(frozen=True)
class Global:
    value_type: str
    mutable: bool
    initial: object  # int for a constant integer, else None


@dataclass(frozen=True)
class ElementSegment:
    """Functions for a table. offset is None unless active with a constant offset."""
    mode: str  # "active", "passive", "declared"
    table: int
    offset: object
    functions: tuple  # function indexes; None for a null reference


@dataclass(frozen=True)
class DataSegment:
    passive: bool
    offset: object  # int when active
    data: bytes


@dataclass
class Module:
    types: list = field(default_factory=list)
    imports: list = field(default_factory=list)
    function_types: list = field(default_factory=list)  # type index of each defined function
    tables: list = field(default_factory=list)
    memories: list = field(default_factory=list)
    globals: list = field(default_factory=list)
    exports: dict = field(default_factory=dict)  # name -> (kind, index)
    start: object = None
    elements: list = field(default_factory=list)
    data: list = field(default_factory=list)
    function_names: dict = field(default_factory=dict)
    code_count: int = 0

    @property
    def imported_functions(self):
        return [i for i in self.imports if i.kind == KIND_FUNCTION]

    def type_of(self, function_index):
        """The FunctionType of a function, imported or defined."""
        imported = self.imported_functions
        if function_index < len(imported):
            return self.types[imported[function_index].type_index]
        return self.types[self.function_types[function_index - len(imported)]]


class Reader:
    """A cursor over bytes. Running past the end is a Failure, never a silent short read."""

    def __init__(self, data, start=0, end=None):
        self.data = data
        self.at = start
        self.end = len(data) if end is None else end

    def byte(self):
        return self.take(1)[0]

    def take(self, count):
        if count < 0 or self.at + count > self.end:
            raise Failure("the module is cut short or damaged")
        piece = self.data[self.at:self.at + count]
        self.at += count
        return piece

    def unsigned(self):
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return result
            if shift > 63:
                raise Failure("the module has a number that is too long")

    def signed(self):
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return result - (1 << shift) if byte & 0x40 else result
            if shift > 70:
                raise Failure("the module has a number that is too long")

    def name(self):
        return self.take(self.unsigned()).decode("utf-8", "replace")

    def vector(self, read):
        return [read() for _ in range(self.unsigned())]

    def value_type(self):
        code = self.byte()
        if code not in VALUE_TYPES:
            raise Failure(f"the module uses the value type 0x{code:02x}, which is not supported")
        return VALUE_TYPES[code]

    def limits(self):
        flags = self.byte()
        if flags > 1:
            raise Failure("the module has a shared or 64-bit memory, which is not supported")
        minimum = self.unsigned()
        return Limits(minimum, self.unsigned() if flags & 1 else -1)

    def constant(self):
        """A constant expression: ("i32", n), ("func", index), ("null",) or ("other",)."""
        opcode = self.byte()
        if opcode in (0x41, 0x42):
            result = ("i32" if opcode == 0x41 else "i64", self.signed())
        elif opcode == 0x43 or opcode == 0x44:
            self.take(4 if opcode == 0x43 else 8)
            result = ("other",)
        elif opcode == 0x23:
            self.unsigned()
            result = ("other",)
        elif opcode == 0xD2:
            result = ("func", self.unsigned())
        elif opcode == 0xD0:
            self.byte()
            result = ("null",)
        else:
            raise Failure(f"the module has a constant expression with instruction 0x{opcode:02x}, "
                          "which is not supported")
        if self.byte() != 0x0B:
            raise Failure("the module has a constant expression of several instructions, "
                          "which is not supported")
        return result


def parse(data):
    """The Module in those bytes."""
    if len(data) < 8 or data[:4] != b"\0asm":
        raise Failure("this is not a WebAssembly module (it does not begin with \\0asm)")
    if struct.unpack_from("<I", data, 4)[0] != 1:
        raise Failure("this is a WebAssembly component or an unknown version, not a core module")
    module = Module()
    reader = Reader(data, 8)
    while reader.at < reader.end:
        section = reader.byte()
        size = reader.unsigned()
        if reader.at + size > reader.end:
            raise Failure("the module is cut short or damaged")
        body = Reader(data, reader.at, reader.at + size)
        reader.at += size
        if section in SECTIONS:
            SECTIONS[section](module, body)
    if module.code_count != len(module.function_types):
        raise Failure("the module is cut short or damaged: functions without code")
    return module


def _type_section(module, reader):
    def one():
        if reader.byte() != 0x60:
            raise Failure("the module has a type that is not a function type")
        return FunctionType(tuple(reader.vector(reader.value_type)),
                            tuple(reader.vector(reader.value_type)))
    module.types = reader.vector(one)


def _import_section(module, reader):
    def one():
        where, name, kind = reader.name(), reader.name(), reader.byte()
        type_index = -1
        if kind == KIND_FUNCTION:
            type_index = reader.unsigned()
        elif kind == KIND_TABLE:
            reader.value_type()
            reader.limits()
        elif kind == KIND_MEMORY:
            reader.limits()
        elif kind == KIND_GLOBAL:
            reader.value_type()
            reader.byte()
        else:
            reader.byte()
            reader.unsigned()
        return Import(where, name, kind, type_index)
    module.imports = reader.vector(one)


def _function_section(module, reader):
    module.function_types = reader.vector(reader.unsigned)


def _table_section(module, reader):
    module.tables = reader.vector(lambda: (reader.value_type(), reader.limits()))


def _memory_section(module, reader):
    module.memories = reader.vector(reader.limits)


def _global_section(module, reader):
    def one():
        value_type, mutable = reader.value_type(), reader.byte() == 1
        initial = reader.constant()
        return Global(value_type, mutable,
                      initial[1] if initial[0] in ("i32", "i64") else None)
    module.globals = reader.vector(one)


def _export_section(module, reader):
    def one():
        name, kind = reader.name(), reader.byte()
        return name, (kind, reader.unsigned())
    module.exports = dict(reader.vector(one))


def _start_section(module, reader):
    module.start = reader.unsigned()


def _element_section(module, reader):
    def constant_function():
        value = reader.constant()
        return value[1] if value[0] == "func" else None

    def one():
        flags = reader.unsigned()
        active = not flags & 1
        table, offset = 0, None
        if active:
            if flags & 2:
                table = reader.unsigned()
            expression = reader.constant()
            offset = expression[1] & 0xFFFFFFFF if expression[0] == "i32" else None
        if flags & 3:
            reader.byte()  # element kind or reference type
        functions = reader.vector(constant_function if flags & 4 else reader.unsigned)
        mode = "active" if active else "declared" if flags & 2 else "passive"
        return ElementSegment(mode, table, offset, tuple(functions))
    module.elements = reader.vector(one)


def _code_section(module, reader):
    module.code_count = reader.unsigned()


def _data_section(module, reader):
    def one():
        flags = reader.unsigned()
        if flags == 1:
            return DataSegment(True, None, reader.take(reader.unsigned()))
        if flags == 2:
            reader.unsigned()
        expression = reader.constant()
        if expression[0] != "i32":
            raise Failure("the module places data at an address that is not constant")
        return DataSegment(False, expression[1] & 0xFFFFFFFF, reader.take(reader.unsigned()))
    module.data = reader.vector(one)


def _custom_section(module, reader):
    if reader.name() != "name":
        return
    while reader.at < reader.end:
        kind = reader.byte()
        size = reader.unsigned()
        part = Reader(reader.data, reader.at, reader.at + size)
        reader.at += size
        if kind == 1:
            module.function_names = dict(
                part.vector(lambda: (part.unsigned(), part.name())))


SECTIONS = {0: _custom_section, 1: _type_section, 2: _import_section, 3: _function_section,
            4: _table_section, 5: _memory_section, 6: _global_section, 7: _export_section,
            8: _start_section, 9: _element_section, 10: _code_section, 11: _data_section}
