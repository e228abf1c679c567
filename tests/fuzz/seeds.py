"""What the fuzzers start from: sequences that the tests know to be interesting, as their bytes.

    seeds.py DIRECTORY      writes DIRECTORY/TARGET/* for every target
"""

from __future__ import annotations

import io
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests/fuzz/corpus"
GOLDEN = ROOT / "tests/unit/common/golden"

# Worlds, places, choices as tests/fuzz/wasi_arguments.c reads them.
BOOTING, IN_JOB, MODULE = 0, 1, 2
R0, R1, R2 = 0, 1, 8  # places of results, 8 bytes each
FROM_R0 = 0xA0        # a number that stands at R0
ALL, READ_ONLY = 0x00, 0x60
PENDING = 0x00        # the length or count that belongs to what stands before
HUGE = 0xC0           # UINT64_MAX
MOST = 0xD8           # INT64_MAX
ROOT_FD, FD, NEXT = 3, 4, 5

Piece = int | str | bytes


def function_numbers() -> dict[str, int]:
    text = (ROOT / "worker/wasi/functions.def").read_text("utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return {name: i for i, name in
            enumerate(re.findall(r"WASI_FUNCTION\([^,]+, (\w+),", text))}


FUNCTIONS = function_numbers()


def path(text: str) -> bytes:
    return bytes([0xD0, len(text)]) + text.encode() + bytes([PENDING])


def buffers(*pairs: tuple[int, int]) -> bytes:
    return bytes([len(pairs)]) + b"".join(bytes(pair) for pair in pairs) + bytes([PENDING])


def call(name: str, *pieces: Piece) -> bytes:
    """A function and its arguments: a byte each, a path, or bytes as they are."""
    made = bytes([FUNCTIONS[name]])
    for piece in pieces:
        if isinstance(piece, int):
            made += bytes([piece])
        else:
            made += path(piece) if isinstance(piece, str) else piece
    return made


def opened(name: str, flags: int = 1, rights: int = ALL, fd_flags: int = 0, at: int = ROOT_FD,
           follow: int = 1) -> bytes:
    return call("path_open", at, follow, name, flags, rights, ALL, fd_flags, R2)


def written(fd: int, size: int = 100) -> bytes:
    return call("fd_write", fd, buffers((R0, size)), R1)


def read(fd: int, size: int = 100) -> bytes:
    return call("fd_read", fd, buffers((R0, size), (R1, 4)), R2)


def unlink(name: str) -> bytes:
    return call("path_unlink_file", ROOT_FD, name)


def renamed(old: str, new: str) -> bytes:
    return call("path_rename", ROOT_FD, old, ROOT_FD, new)


def linked(target: str, name: str) -> bytes:
    return call("path_symlink", target, ROOT_FD, name)


def made(name: str) -> bytes:
    return call("path_create_directory", ROOT_FD, name)


def listed(fd: int, size: int = 200, cookie: int = 0) -> bytes:
    return call("fd_readdir", fd, R0, size, cookie, R2)


def subscription(tag: int, fd: int = 1, timeout: int = 0, flags: int = 0) -> bytes:
    return bytes([tag, fd, timeout, 0, flags])


FULL = b"".join(written(FD, 0xDF) for _ in range(8))

# (name, world, calls)
SEQUENCES: list[tuple[str, int, bytes]] = [
    ("write-and-read", IN_JOB, opened("work/f") + written(FD) + call("fd_seek", FD, 0, 0, R0)
     + read(FD) + call("fd_tell", FD, R0) + call("fd_close", FD)),
    ("hole", IN_JOB, opened("work/f") + call("fd_seek", FD, b"\x9f\x00", 0, R0) + written(FD)
     + call("fd_pread", FD, buffers((R0, 200)), 0, R1) + call("fd_filestat_set_size", FD, 3)
     + call("fd_filestat_set_size", FD, b"\x9f\x00")),
    ("append", IN_JOB, opened("work/a", 0, ALL, 1) + written(FD) + call("fd_seek", FD, 0, 0, R0)
     + written(FD) + call("fd_fdstat_set_flags", FD, 0) + written(FD)),
    ("full", IN_JOB, opened("work/f") + call("fd_allocate", FD, 0, b"\x94\x80") + FULL
     + call("fd_allocate", FD, HUGE, HUGE) + call("fd_filestat_set_size", FD, MOST)),
    ("unlinked-while-open", IN_JOB, opened("work/f") + written(FD) + unlink("work/f") + written(FD)
     + read(FD) + call("fd_filestat_get", FD, R0) + call("fd_close", FD) + opened("work/f")),
    ("removed-directory", IN_JOB, made("work/x") + opened("work/x", 2, READ_ONLY)
     + call("path_remove_directory", ROOT_FD, "work/x") + listed(FD) + opened("f", 1, ALL, 0, FD)
     + call("path_filestat_get", FD, 0, "..", R0)),
    ("renames", IN_JOB, renamed("work/a", "work/a") + renamed("work/a", "work/b")
     + renamed("work/d", "work/d/in") + renamed("work/b", "work/d/b") + renamed("work/d", "work/e")
     + renamed("work/e/", "work/f/") + renamed("lib", "work/lib") + renamed("work/f", "lib/f")),
    ("rename-over", IN_JOB, made("work/x") + made("work/y") + renamed("work/x", "work/y")
     + renamed("work/a", "work/y") + renamed("work/y", "work/a") + renamed("work/y", "work/d")),
    ("dangling", IN_JOB, linked("none", "work/l") + renamed("work/l", "work/m")
     + opened("work/m", 1) + opened("work/none", 0) + renamed("work/none", "work/m")
     + call("path_link", ROOT_FD, 1, "work/m", ROOT_FD, "work/n")),
    ("links", IN_JOB, linked("a", "work/l") + linked("l", "work/k") + linked("self", "work/self")
     + opened("work/k", 0) + opened("work/self", 0) + opened("work/l", 0, ALL, 0, ROOT_FD, 0)
     + call("path_readlink", ROOT_FD, "work/k", R0, 10, R1) + linked("../../..", "work/up")
     + opened("work/up/work/up/lib", 2, READ_ONLY) + linked("/lib", "work/abs")
     + opened("work/abs/python", 2, READ_ONLY)),
    ("hard-links", IN_JOB, call("path_link", ROOT_FD, 0, "work/a", ROOT_FD, "work/h")
     + unlink("work/a") + opened("work/h", 0) + written(FD) + unlink("work/h")
     + call("path_link", ROOT_FD, 0, "lib/os.py", ROOT_FD, "work/os")),
    ("readdir", IN_JOB, opened("work", 2, READ_ONLY) + listed(FD, 60) + listed(FD, 60, FROM_R0)
     + unlink("work/a") + listed(FD, 200, FROM_R0) + made("work/z") + listed(FD, 200, 2)
     + listed(FD, 1, 0) + listed(FD, 24, 1) + listed(FD, 200, HUGE)),
    ("readdir-image", IN_JOB, opened("lib", 2, READ_ONLY) + listed(FD, 30) + listed(FD, 200, 2)
     + listed(ROOT_FD) + opened("lib/python", 2, READ_ONLY) + listed(NEXT)),
    ("input-copied", IN_JOB, opened("work/b", 0) + call("fd_filestat_set_size", FD, 50)
     + written(FD) + call("fd_filestat_set_size", FD, b"\x85\x00") + opened("work/b", 9) + FULL),
    ("rights", IN_JOB, opened("work", 2, READ_ONLY)
     + call("fd_fdstat_set_rights", FD, 0xC1, 0xC6) + opened("f", 1, READ_ONLY, 0, FD)
     + call("fd_fdstat_get", FD, R0) + opened("a", 8, READ_ONLY, 0, FD) + call("fd_sync", FD)),
    ("times", IN_JOB, opened("work/a", 0) + call("fd_filestat_set_times", FD, 5, 6, 5)
     + call("path_filestat_set_times", ROOT_FD, 1, "work/a", HUGE, 0, 10)
     + call("path_filestat_set_times", ROOT_FD, 0, "work/a", 0, 0, 3)),
    ("descriptors", IN_JOB, opened("work/a", 0) + opened("work/b", 0)
     + call("fd_renumber", FD, NEXT) + call("fd_renumber", NEXT, 0) + call("fd_renumber", 0, 0)
     + call("fd_close", ROOT_FD) + call("fd_prestat_get", ROOT_FD, R0)),
    ("poll", IN_JOB, call("poll_oneoff", bytes([3]) + subscription(0, 1, 50) + subscription(1, 0)
                          + subscription(2, 9), R0, PENDING, R2)
     + call("poll_oneoff", bytes([2]) + subscription(0, 0, HUGE) + subscription(0, 1, 9, 1), R0,
            PENDING, R2)),
    ("process", MODULE, call("args_sizes_get", R0, R1) + call("args_get", R0, R2)
     + call("environ_sizes_get", R0, R1) + call("environ_get", R0, R2)
     + call("clock_res_get", 1, R0) + call("clock_time_get", 0, 0, R0)
     + call("random_get", R0, 200) + call("sched_yield", 0) + call("proc_raise", 9)),
    ("sockets", IN_JOB, call("sock_accept", 0, 0, R0) + call("sock_shutdown", 1, 3)
     + call("sock_recv", 0, buffers((R0, 4)), 0, R1, R2)
     + call("sock_send", 1, buffers((R0, 4)), 0, R1)),
    ("preopens", MODULE, call("fd_prestat_get", ROOT_FD, R0)
     + call("fd_prestat_dir_name", ROOT_FD, "xxxxxxxx") + opened("x", 0, ALL, 0, ROOT_FD)
     + call("path_filestat_get", ROOT_FD, 0, "../lib", R0) + made("new") + listed(ROOT_FD)),
    ("job", BOOTING, opened("dev/job", 0, READ_ONLY) + call("fd_read", FD, buffers((R0, 0)), R1)
     + read(FD, 5) + read(FD) + opened("dev/job", 0, READ_ONLY) + opened("work/main.py", 0)
     + read(NEXT)),
    ("job-in-the-way", BOOTING, opened("work/d") + written(FD) + opened("dev/job", 0, READ_ONLY)
     + read(NEXT)),
    ("outputs", IN_JOB, opened("work/outputs/a") + written(FD) + made("work/outputs/d")
     + opened("work/outputs/d/b") + written(NEXT) + linked("a", "work/outputs/l")
     + made("work/outputs/" + "n" * 230) + renamed("work/outputs", "work/x")),
    ("devices", IN_JOB, b"".join(opened("dev/" + name, 0) + written(FD) + read(FD)
                                 + call("fd_seek", FD, 5, 0, R0) + call("fd_close", FD)
                                 for name in ("null", "zero", "random", "note"))),
    ("exit", IN_JOB, written(1) + written(2) + call("proc_exit", 7) + written(1)),
    ("edges-of-memory", IN_JOB, call("fd_write", 1, buffers((0x81, 4), (0x81, 1), (0x80, 1)), 0x84)
     + call("random_get", 0x81, 1) + call("random_get", 0x81, 2)
     + call("fd_read", 0, bytes([0x13, R0, 8, R0, 8, R0, 8, PENDING]), R1)
     + call("clock_time_get", 0, 0, 0x87) + call("path_open", ROOT_FD, 1, bytes([0xC0, 6, 0]),
                                                 0, READ_ONLY, ALL, 0, 0x83)),
    ("many-buffers", IN_JOB, call("fd_write", 1, bytes([0xE2]), PENDING, R1)
     + call("fd_write", 1, bytes([0xE3]), PENDING, R1)),
    ("long-paths", IN_JOB, made("work/" + "n" * 240)
     + call("path_create_directory", ROOT_FD, bytes([0xE0, 25, 250, 1]), PENDING)
     + call("path_filestat_get", ROOT_FD, 1, bytes([0xE0, 14, 200, 1]), PENDING, R0)),
    ("many-names", IN_JOB, b"".join(made(f"work/{i}") for i in range(26)) + linked("a", "work/l")
     + call("path_remove_directory", ROOT_FD, "work/3") + linked("a", "work/l")),
]


def wasi() -> Iterator[tuple[str, bytes]]:
    for name, world, calls in SEQUENCES:
        yield name, bytes([world]) + calls


def codec() -> Iterator[tuple[str, bytes]]:
    for name, first in (("v1-element", 0), ("v1-element-without-input", 0), ("v1-blob", 1),
                        ("v1-result", 2), ("v1-result-error", 2), ("v1-element-limits", 0),
                        ("v2-blob-files", 1), ("v1-result-artifacts", 2)):
        yield name, bytes([first]) + (GOLDEN / name).read_bytes()
    letter = b"\x95\x01\xcf" + (1700000000123).to_bytes(8, "big") + b"\xa2w1\xa3why\xa3\0\xff\x1b"
    yield "v1-letter", b"\3" + letter
    # An element of which a field's name is empty text: a null pointer of msgpack-c's.
    yield "empty-text", bytes.fromhex("00950100 01a0c406 00ae68d9 0034")


def record(kind: int, name: bytes, data: bytes) -> bytes:
    body = struct.pack("<IIQ", kind, len(name), len(data)) + name + data
    return body + bytes(-len(body) % 8)


def records() -> Iterator[tuple[str, bytes]]:
    file = record(3, b"/work/main.py", b"print(1)")
    yield "file", file
    yield "several", record(1, b"", b"argument") + file + record(4, b"/d", b"") + record(5, b"", b"")
    yield "too-long", struct.pack("<IIQ", 3, 1, 1 << 63) + b"x"


def begin() -> Iterator[tuple[str, bytes]]:
    files = b"".join(record(3, name, b"text") for name in
                     (b"/work/main.py", b"/work/a/b/c", b"/lib/os.py", b"./x", b"/data/y"))
    preopened = b"".join(record(4, name, data) for name, data in
                         ((b"/", b"/"), (b"/data", b"data"), (b"/work/outputs", b"")))
    rest = record(1, b"", b"argument") + record(2, b"", b"A=b") + record(5, b"", b"typed")
    for first in (0, 1):
        yield f"files-{first}", bytes([first]) + files + rest
        yield f"preopened-{first}", bytes([first]) + preopened + files


def artifact(kept: int, name: bytes, data: bytes) -> bytes:
    body = struct.pack("<HHIQ", kept, 1, len(name), len(data)) + name + (data if kept else b"")
    return body + bytes(-len(body) % 8)


def artifacts() -> Iterator[tuple[str, bytes]]:
    one = artifact(1, b"d/a", b"0123456789abcdef")
    yield "several", one + artifact(0, b"link", b"1234") + artifact(1, b"b", b"x") + bytes(8)
    yield "twice", one + one
    yield "too-long", struct.pack("<HHIQ", 1, 0, 1, 1 << 63) + b"x"


def tree() -> Iterator[tuple[str, bytes]]:
    sys.path.insert(0, str(ROOT / "aot"))
    from retort_aot import tree as image_tree  # pylint: disable=import-outside-toplevel
    for name, directory in (("empty", None), ("rootfs", ROOT / "tests/wasi/rootfs")):
        out = io.BytesIO()
        image_tree.write(directory, out)
        yield name, out.getvalue()


def texts(target: str) -> Iterator[tuple[str, bytes]]:
    for file in sorted((CORPUS / target).iterdir()):
        yield file.name, file.read_bytes()


def admin() -> Iterator[tuple[str, bytes]]:
    yield "text", "ä€🐍 \\ \"".encode()
    yield "controls", b"\x1b]0;x\x07\xc2\x9b31m\0\r\n\t\x7f\xff\xe2\x80\xae\xef\xbb\xbf\xed\xa0\x80"


def keys() -> Iterator[tuple[str, bytes]]:
    yield "setting", b"dev_123:dev:5:10, other-token:ops.team:0.125:1"
    yield "file", b"# ours\n\nsha256:" + b"0a" * 32 + b":dev:5:10 # one\r\nsha256:" + b"F0" * 32 + b":b:1:1"
    yield "host", b"[::1]:8000"
    yield "origin", b"http://127.0.0.1:3000"


TARGETS = {"keys": keys(), "wasi": wasi(),
           "begin": begin(), "codec": codec(), "records": records(), "tree": tree(),
           "artifacts": artifacts(), "http": texts("http"), "json": texts("json"),
           "runs": texts("runs"),
           "scrape": texts("scrape"), "patterns": texts("patterns"), "admin": admin(),
           "multipart": texts("multipart")}


def write_all(directory: Path) -> None:
    for target, seeds in TARGETS.items():
        (directory / target).mkdir(parents=True, exist_ok=True)
        for name, data in seeds:
            (directory / target / name).write_bytes(data)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
