"""Stands in for _testcapi and _testinternalcapi, by which CPython tests its C API.

The product has no such modules. Many tests only take a number from them; those get it. What else
is asked for is there by name, and skips the test once it is used in one.
"""
import struct
import sys
import unittest

WITH_PYMALLOC = True
SIZEOF_PYGC_HEAD = 2 * struct.calcsize("P")
SIZEOF_TIME_T = 8
PY_SSIZE_T_MAX = sys.maxsize
PY_SSIZE_T_MIN = -sys.maxsize - 1
FLT_MIN, FLT_MAX = 2.0 ** -126, (2.0 - 2.0 ** -23) * 2.0 ** 127
DBL_MIN, DBL_MAX = sys.float_info.min, sys.float_info.max


def _limits():
    for name, code in (("CHAR", "b"), ("SHRT", "h"), ("INT", "i"), ("LONG", "l"), ("LLONG", "q")):
        bits = struct.calcsize(code) * 8
        unsigned = "ULLONG" if name == "LLONG" else "U" + name
        yield name + "_MIN", -1 << (bits - 1)
        yield name + "_MAX", (1 << (bits - 1)) - 1
        yield unsigned + "_MAX", (1 << bits) - 1


globals().update(_limits())


def get_config():
    return {"code_debug_ranges": 1}


def exception_print(error, legacy=False):
    """The interpreter's own printer in C, as _testcapi calls it."""
    sys.__excepthook__(type(error), error, error.__traceback__)


def raise_memoryerror():
    raise MemoryError


class Missing:
    """Does nothing while modules are imported and classes made, and skips a running test."""
    running = False  # set by the driver

    def __init__(self, name):
        self._name = name

    def _use(self, *args, **kwargs):
        if Missing.running:
            raise unittest.SkipTest(f"needs {self._name}, a C module of CPython's tests")
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._use()

    def __mro_entries__(self, bases):
        self._use()
        return ()

    __call__ = __getitem__ = __iter__ = __enter__ = __or__ = __eq__ = _use
    __hash__ = object.__hash__


def __getattr__(name):
    if name.startswith("__") or name == "i_dont_exist":
        raise AttributeError(name)
    return Missing(f"{__name__}.{name}")
