"""Boot code of the Python image: makes the interpreter warm, then waits for the job.

`import site` imports this module. Where the host has the job device, the first read of it is the
point at which job processes are forked: everything above that read happens once, in the zygote,
and is shared by all jobs; everything below happens in each job. Then CPython itself runs
/work/main.py, so that tracebacks, __main__ and exit codes are its own. On a host without the
device (any other WASI runtime) nothing at all happens.

The module ends with the one exception that `site` passes over in silence, an ImportError of its
own name: then the import system has no trace of it, as if there were no such module.
"""
_DEVICE = "/dev/job"
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
    exec(compile(_WARM_UP, "/work/main.py", "exec"), names)
    traceback.print_exception(names["caught"], file=io.StringIO())
    try:
        sys.__excepthook__  # resolved, not called: it would print
        compile("(", "/work/main.py", "exec")
    except SyntaxError as error:
        traceback.format_exception(error)


def _forget(sys, gc, path):
    """Removes what warming up left; what remains is out of the collector's way."""
    import linecache
    import re
    linecache.clearcache()
    re.purge()
    # CPython asks whether the program is a package or an archive; it is not.
    sys.path_importer_cache[path] = None
    gc.collect()
    # The patched interpreter takes the modules of this moment for its own at the exit (and tears
    # down the later ones); this module is not going to be among them.
    this = sys.modules.pop(__name__)
    gc.freeze()
    sys.modules[__name__] = this


def _begin(os, sys, random, arguments):
    """In the job: its arguments, its own randomness, its directory."""
    random.seed()
    sys.argv[:] = arguments
    sys.path.insert(0, os.path.dirname(arguments[0]))
    os.chdir(sys.path[0])


def _boot():
    import os
    try:
        device = os.open(_DEVICE, os.O_RDONLY)
    except OSError:
        return
    import gc
    import importlib
    import io
    import sys
    import traceback
    _preload(importlib)
    import random
    _warm_up(io, sys, traceback)
    _forget(sys, gc, "/work/main.py")
    gc.disable()
    data = os.read(device, 1 << 20)  # the fork point
    gc.enable()
    os.close(device)
    _begin(os, sys, random, [os.fsdecode(part) for part in data.split(b"\0")[:-1]])


_boot()
raise ImportError(name=__name__)
