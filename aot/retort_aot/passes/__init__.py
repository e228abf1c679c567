"""The rewriting steps, in the order in which they run.

Each module has apply(program, context) and changes the program in place. A pass that meets text
which it does not understand raises Failure with the name of the function.
"""
from . import calls_out, call_tables, computed_goto, constant_base, native_libc, static_instance


def run(program, context):
    """Rewrites the whole program by the steps that context.enabled names."""
    calls_out.apply(program, context)
    if "constant-base" in context.enabled:
        constant_base.apply(program, context)
    call_tables.apply(program, context)
    if "native-libc" in context.enabled:
        native_libc.apply(program, context)
    if "computed-goto" in context.enabled:
        computed_goto.apply(program, context)
    if "static-instance" in context.enabled:
        static_instance.apply(program, context)
