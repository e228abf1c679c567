"""What several passes share."""
from dataclasses import dataclass, field


@dataclass
class Context:
    module: object                 # wasm.Module
    enabled: set                   # names of the steps that are on
    dispatch: str = ""             # wasm name of the function with the evaluation loop, or ""
    natives: dict = field(default_factory=dict)


def everything(program):
    """All functions and helpers."""
    yield from program.functions
    yield from program.helpers.values()


def instance_parameter(context):
    """The C parameters that every function has in front: none once the instance is static."""
    return [] if "static-instance" in context.enabled else [("struct instance *", "instance")]


def parameter_list(context, c_types):
    """A C parameter list of types, with the instance in front where functions take it."""
    types = [t for t, _ in instance_parameter(context)] + list(c_types)
    return ", ".join(types) or "void"
