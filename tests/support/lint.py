"""Checks on the sources that need no compiler: format, layers, sizes, shell scripts, settings.

Each check is one row of CHECKS and yields sentences; it passes when it yields none.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

FILE_LINES = 500
FUNCTION_LINES = 60
LINE_COLUMNS = 100

# Who may include what of ours: directory -> directories whose headers it must not see.
FORBIDDEN_LAYERS = {
    "common": ("api", "worker", "admin"),
    "api": ("worker", "admin"),
    "worker": ("api", "admin"),
    "admin": ("api", "worker"),
}

# A foreign library's headers -> the modules that own it (path prefixes).
OWNERS = {
    "msgpack": ("common/codec_",),
    "hiredis": ("common/redis",),
    "jansson": ("api/json.c", "worker/image.c", "worker/run/report.c"),
    "seccomp": ("common/call_filter.c",),
    "llhttp": ("api/http_parser.c",),
    "zlib": ("api/gzip.c",),
    "sodium": ("common/digest.c", "worker/sha256_file.c"),
}

INCLUDE = re.compile(r'^#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
# House style puts a function's name at column 0 below its type, and both braces there too.
FUNCTION = re.compile(r"^([a-z_0-9]+)\([^;{}]*\)\n\{\n(.*?)^\}$", re.MULTILINE | re.DOTALL)


def tracked(*patterns: str) -> list[pathlib.Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], capture_output=True, text=True,
                            check=True).stdout.split("\n")
    return [path for path in map(pathlib.Path, filter(None, listed)) if path.is_file()]


def sources() -> list[pathlib.Path]:
    return tracked("*.c", "*.h")


def check_format() -> Iterator[str]:
    done = subprocess.run(["clang-format-14", "--dry-run", "--Werror", *map(str, sources())],
                          capture_output=True, text=True)
    named = {line.split(":", 1)[0] for line in done.stderr.splitlines() if ": error:" in line}
    for path in sorted(named):
        yield f"{path} is not formatted (make format)"
    if done.returncode != 0 and not named:
        yield f"clang-format-14: {done.stderr.strip()[:300]}"


def check_layers() -> Iterator[str]:
    for path in sources():
        for included in INCLUDE.findall(path.read_text("utf-8")):
            if included.split("/")[0] in FORBIDDEN_LAYERS.get(path.parts[0], ()):
                yield f"{path} includes {included}, a layer that it must not know"
            if included.endswith(".c"):
                yield f"{path} includes the source {included}"


def check_owners() -> Iterator[str]:
    for path in sources():
        if path.parts[0] == "tests":
            continue
        for included in INCLUDE.findall(path.read_text("utf-8")):
            library = included.split("/")[0].split(".")[0]
            owners = OWNERS.get(library)
            if owners is not None and not str(path).startswith(owners):
                yield f"{path} includes {included}, which belongs to {', '.join(owners)}"


def check_file_sizes() -> Iterator[str]:
    for path in tracked("*.c", "*.h", "*.py", "*.sh", "*.def", "*.lua"):
        count = len(path.read_text("utf-8").splitlines())
        if count > FILE_LINES:
            yield f"{path} has {count} lines; {FILE_LINES} are the most"


def check_function_sizes() -> Iterator[str]:
    for path in sources():
        for name, body in FUNCTION.findall(path.read_text("utf-8")):
            count = body.count("\n") + 2
            if count > FUNCTION_LINES:
                yield f"{path}: {name}() has {count} lines; {FUNCTION_LINES} are the most"


def check_leftovers() -> Iterator[str]:
    word = re.compile(r"\b(TODO|FIXME|XXX)\b")
    for path in tracked("*.c", "*.h", "*.def", "*.lua", "*.mk", "Makefile"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if word.search(line):
                yield f"{path}:{number}: {line.strip()}"
            if len(line) > LINE_COLUMNS and path.suffix not in (".mk", "") and path.name != "Makefile":
                yield f"{path}:{number} is longer than {LINE_COLUMNS} columns"


def is_shell(path: pathlib.Path) -> bool:
    with open(path, "rb") as file:
        return re.match(rb"#!.*\b(ba)?sh\b", file.readline()) is not None


def check_shell() -> Iterator[str]:
    scripts = [str(path) for path in tracked() if path.suffix == ".sh" or is_shell(path)]
    done = subprocess.run(["shellcheck", "--external-sources", "--format=gcc", *scripts],
                          capture_output=True, text=True)
    yield from done.stdout.splitlines()
    if done.returncode != 0 and not done.stdout:
        yield f"shellcheck: {done.stderr.strip()[:300]}"


def check_apparmor() -> Iterator[str]:
    """Compiled, for a kernel with the features that the profile names; loaded into none."""
    for path in tracked("deploy/apparmor/*"):
        done = subprocess.run(["apparmor_parser", "--skip-kernel-load", "--skip-cache", "--stdout",
                               "--features-file", "/etc/apparmor.d/abi/3.0", str(path)],
                              capture_output=True)
        if done.returncode != 0 or not done.stdout:
            yield f"{path}: {done.stderr.decode().strip()[-300:]}"


def check_python() -> Iterator[str]:
    for path in tracked("*.py"):
        try:
            compile(path.read_text("utf-8"), str(path), "exec")
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: {error.msg}"


CHECKS: list[tuple[str, Callable[[], Iterator[str]]]] = [
    ("C sources are formatted", check_format),
    ("layers know only those below", check_layers),
    ("foreign headers stay with their owners", check_owners),
    (f"files have at most {FILE_LINES} lines", check_file_sizes),
    (f"functions have at most {FUNCTION_LINES} lines", check_function_sizes),
    ("nothing is left to do, no line is too long", check_leftovers),
    ("shell scripts pass shellcheck", check_shell),
    ("Python sources compile", check_python),
    ("AppArmor profiles compile", check_apparmor),
]


def main() -> int:
    failed = 0
    for title, check in CHECKS:
        faults = list(check())
        failed += bool(faults)
        print(f"  {'FAIL' if faults else 'ok':5} {title}")
        for fault in faults:
            print(f"        {fault}")
    print(f"lint: {len(CHECKS) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
