"""Assembles the guest's file tree: the standard library, source and compiled.

    rootfs.py SOURCE_LIB BUILD_DIR OVERLAY SITECUSTOMIZE ZONEINFO OUT TESTS_OUT

Every module stands there as source (tracebacks, inspect) and as an unchecked .pyc: nothing in the
tree ever changes, so the import system need not compare the two. Compiled here in one process, in
sorted order, with the guest's path in every code object; run it with a fixed PYTHONHASHSEED and
the result is the same each time.

TESTS_OUT gets what is left out of the tree but belongs to CPython's own test suite, as source, at the
places where it would lie below the library (tests/cpython runs it).
"""
import os
import pprint
import py_compile
import runpy
import shutil
import sys

LIBRARY = "usr/local/lib/python3.11"
# Parts of the standard library that the guest cannot use, or that are its tests.
LEFT_OUT = {"test", "tests", "idlelib", "tkinter", "turtledemo", "turtle.py", "ensurepip", "venv",
            "__phello__", "__pycache__", "lib2to3/tests", "unittest/test", "ctypes/test",
            "distutils/tests", "sqlite3/test"}
TESTS = ("__phello__", "distutils/tests", "lib2to3/tests", "test", "unittest/test")
# Known under two names: what sysconfig looks for in Debian's source, and what the build makes.
SYSCONFIGDATA = ("_sysconfigdata__wasm32-wasi.py", "_sysconfigdata__wasi_wasm32-wasi.py")


def copy_tree(source, target, relative=""):
    """Copies the .py and data files below source that are not left out."""
    for entry in sorted(os.scandir(source), key=lambda item: item.name):
        name = os.path.join(relative, entry.name)
        if name in LEFT_OUT or entry.name in ("test", "tests", "__pycache__"):
            continue
        if entry.is_dir():
            copy_tree(entry.path, os.path.join(target, entry.name), name)
        else:
            os.makedirs(target, exist_ok=True)
            shutil.copyfile(entry.path, os.path.join(target, entry.name))


def write_sysconfigdata(build, library):
    """What configure found, without the paths of this machine."""
    with open(os.path.join(build, "pybuilddir.txt"), encoding="ascii") as file:
        directory = os.path.join(build, file.read().strip())
    found = next(name for name in SYSCONFIGDATA if os.path.exists(os.path.join(directory, name)))
    variables = runpy.run_path(os.path.join(directory, found))["build_time_vars"]
    here = os.path.dirname(os.path.abspath(build))
    cleaned = {name: value.replace(here, "/usr/src") if isinstance(value, str) else value
               for name, value in variables.items()}
    for name in SYSCONFIGDATA:
        with open(os.path.join(library, name), "w", encoding="utf-8") as file:
            file.write(f"build_time_vars = {pprint.pformat(cleaned)}\n")


def copy_zoneinfo(zoneinfo, out):
    """The machine's time zone data, without its variants (posix, right) and aliases of them."""
    if not os.path.isdir(zoneinfo):
        return
    skipped = {"posix", "right", "posixrules", "localtime", "leapseconds", "leap-seconds.list"}
    for entry in sorted(os.scandir(zoneinfo), key=lambda item: item.name):
        target = os.path.join(out, "usr/share/zoneinfo", entry.name)
        if entry.name in skipped:
            continue
        if entry.is_dir():
            copy_tree(entry.path, target, "zoneinfo/" + entry.name)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(entry.path, target)


def compile_tree(out):
    for directory, names, files in os.walk(os.path.join(out, LIBRARY)):
        names.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                path = os.path.join(directory, name)
                py_compile.compile(path, dfile="/" + os.path.relpath(path, out), doraise=True,
                                   invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def copy_tests(source_lib, out):
    shutil.rmtree(out, ignore_errors=True)
    for name in TESTS:
        shutil.copytree(os.path.join(source_lib, name), os.path.join(out, name), symlinks=True,
                        ignore=shutil.ignore_patterns("__pycache__"))


def main(source_lib, build, overlay, sitecustomize, zoneinfo, out, tests_out):
    library = os.path.join(out, LIBRARY)
    shutil.rmtree(out, ignore_errors=True)
    copy_tree(source_lib, library)
    shutil.copytree(overlay, library, dirs_exist_ok=True)
    shutil.copyfile(sitecustomize, os.path.join(library, "sitecustomize.py"))
    write_sysconfigdata(build, library)
    # Its absence is a warning at start-up (it marks exec_prefix).
    os.makedirs(os.path.join(library, "lib-dynload"), exist_ok=True)
    os.makedirs(os.path.join(library, "site-packages"), exist_ok=True)
    copy_zoneinfo(zoneinfo, out)
    compile_tree(out)
    copy_tests(source_lib, tests_out)


if __name__ == "__main__":
    main(*sys.argv[1:])
