"""`make run` once everything is built: runs the stack in the foreground until it is told to stop.

SIGINT, SIGTERM and SIGHUP stop it in order; a second one at once. A part that dies ends the
others too, with the part's name and the end of its log.
"""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import stack as stack_module  # noqa: E402

GRACE_S = 15.0
# What the stack itself has to know; the programs read all settings from the environment.
SETTINGS = ("HOST", "REDIS_URL", "IMAGE", "PYTHON_WASM_PATH")

READY = """\
Retort is ready on {url} ({seconds:.1f} s).

  curl -s {url}/v1/execute -H 'Content-Type: application/json' \\
       -d '{{"code": "print(1+1)"}}'

Logs: {directory}/*.log    Ctrl-C stops it.
"""


class Stopped(Exception):
    """A signal told us to stop."""


def on_signal(number: int, _frame: object) -> None:
    raise Stopped(signal.Signals(number).name)


def serve(stack: stack_module.Stack, began: float) -> int:
    try:
        stack.start()
        print(READY.format(url=stack.url, seconds=time.monotonic() - began,
                           directory=stack.directory), flush=True)
        stack.wait_for_an_end()
        return 0
    except stack_module.StackError as error:
        print(f"retort: {error}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        print(f"\nStopping ({stopped}).", flush=True)
        return 0


def stop(stack: stack_module.Stack) -> None:
    try:
        killed = stack.stop(GRACE_S)
    except Stopped:
        killed = stack.stop(0)
    if killed:
        print(f"retort: had to be killed: {', '.join(killed)}", file=sys.stderr)


def main() -> int:
    began = time.monotonic()
    build = stack_module.REPOSITORY / os.environ.get("RETORT_BUILD", "build/release")
    stack = stack_module.Stack(
        build, {name: os.environ[name] for name in SETTINGS if os.environ.get(name)})
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    try:
        return serve(stack, began)
    finally:
        stop(stack)


if __name__ == "__main__":
    sys.exit(main())
