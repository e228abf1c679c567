"""Boot code of the Python image: makes the interpreter warm, once, for all jobs.

`import site` imports this module, in the zygote. Where the host has the job device, it imports
what programs commonly import and runs what they commonly run; then the interpreter itself waits
for the job (patches/cpython-job-device.patch) and runs /work/main.py, so that tracebacks, __main__
and exit codes are its own. On a host without the device (any other WASI runtime) nothing at all
happens.

The module ends with the one exception that `site` passes over in silence, an ImportError of its
own name: then the import system has no trace of it, as if there were no such module.
"""
_PROGRAM = "/work/main.py"
# What jobs commonly import. Costs boot time and shared memory, and nothing per job: pages that
# nobody writes to stay shared.
_PRELOADED = """
abc argparse array ast asyncio base64 binascii bisect calendar cmath codecs collections
collections.abc contextlib contextvars copy csv dataclasses datetime decimal difflib
email.utils encodings.ascii encodings.idna encodings.latin_1 encodings.utf_8 enum fractions
functools glob hashlib heapq hmac html inspect io itertools json keyword linecache locale logging
math numbers operator os.path pathlib pickle pprint queue random re secrets shutil signal sqlite3
stat statistics string struct tempfile textwrap threading time timeit token tokenize traceback
types typing unicodedata unittest urllib.parse uuid warnings weakref xml.etree.ElementTree zlib
zoneinfo
""".split()
# Run once in the zygote, so that what it makes lazily (caches, code paths, free lists) is there.
_WARM_UP = """
import re, json, datetime, decimal
def f(n): return [str(i) for i in range(n)]
class C:
    def __init__(self, a): self.a = a
    def __repr__(self): return f"C({self.a!r:>10})"
try:
    f(300), {i: C(i) for i in range(300)}, repr(C(1)), sorted(f(50)), 10 ** 40
    json.loads(json.dumps({"a": [1, 2.5, None, "x"]})), re.sub(r"(\\w+) \\d*", "", "abc 12")
    datetime.datetime(2020, 1, 2).isoformat(), decimal.Decimal("1.5") * 2
    undefined_name
except NameError as error:
    caught = error
"""


def _preload(importlib):
    for name in _PRELOADED:
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # a build without it


def _warm_up(io, sys, traceback):
    names = {"__name__": "__main__"}
    exec(compile(_WARM_UP, _PROGRAM, "exec"), names)
    stderr, sys.stderr = sys.stderr, io.StringIO()
    try:
        error = names["caught"]
        traceback.print_exception(error)
        sys.__excepthook__(type(error), error, error.__traceback__)
        compile("(", _PROGRAM, "exec")
    except SyntaxError as error:
        sys.__excepthook__(type(error), error, None)
    finally:
        sys.stderr = stderr


def _prepare(os, sys):
    """The state in which the program is to find things."""
    import linecache
    import random
    import re
    linecache.clearcache()
    re.purge()
    random.seed()  # the generator is seeded in the job that first uses it
    # The interpreter asks whether the program is a package or an archive; it is not.
    sys.path_importer_cache[_PROGRAM] = None
    sys.path.insert(0, os.path.dirname(_PROGRAM))
    os.chdir(sys.path[0])


def _boot():
    import os
    if not os.path.exists("/dev/job"):
        return
    import importlib
    import io
    import sys
    import traceback
    _preload(importlib)
    _warm_up(io, sys, traceback)
    _prepare(os, sys)


_boot()
raise ImportError(name=__name__)
