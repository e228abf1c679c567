"""Step static-instance: one instance per process, so its state has constant addresses.

Functions lose their first parameter, calls their first argument, and instance->x becomes
module_instance.x.
"""
import re

from ..errors import Failure
from .common import everything

CALL = re.compile(r"\b(w2c_\w+|init_\w+)\(instance(?:, )?")


def apply(program, _context):
    for function in everything(program):
        function.body = CALL.sub(r"\1(", function.body).replace("instance->", "module_instance.")
        function.wants_instance = False
        if re.search(r"(?<!module_)\binstance\b", function.body.replace(", instance, func_types",
                                                                        "")):
            raise Failure(f"{function.name} uses the instance in a way that is not understood")
        function.body = function.body.replace(", instance, func_types", ", NULL, func_types")
