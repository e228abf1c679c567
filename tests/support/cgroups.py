"""Control groups (version 2) of a test's own, where the machine lets it have any."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import time
import unittest
from collections.abc import Iterator

from runner import CANNOT

# Puts what follows into the group of $0.
ENTER = 'echo 0 >"$0/cgroup.procs" && exec "$@"'


def mount_point() -> pathlib.Path | None:
    found = re.findall(r"^\S+ \S+ \S+ / (\S+) .* - cgroup2 ",
                       pathlib.Path("/proc/self/mountinfo").read_text(), re.MULTILINE)
    return pathlib.Path(found[-1]) if found else None


class Group:
    """A directory in which a worker may be started, and which it may divide."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path

    def enter(self) -> list[str]:
        """Put before a command."""
        return ["sh", "-c", ENTER, str(self.path)]

    def read(self, name: str) -> str:
        return (self.path / name).read_text().strip()

    def children(self) -> list[str]:
        return sorted(entry.name for entry in self.path.iterdir() if entry.is_dir())

    def give_to(self, uid: int) -> None:
        """What systemd does for Delegate=yes."""
        for name in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
            os.chown(self.path / name, uid, uid)

    def remove(self, timeout_s: float = 10) -> None:
        """With what a killed worker has left in it, as soon as its processes have gone."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                for child in self.children():
                    (self.path / child).rmdir()
                self.path.rmdir()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


@contextlib.contextmanager
def enabled(directory: pathlib.Path, controllers: list[str]) -> Iterator[None]:
    """For the children of directory; taken back afterwards if nothing else had them."""
    control = directory / "cgroup.subtree_control"
    added = [name for name in controllers if name not in control.read_text().split()]
    try:
        for name in added:
            control.write_text(f"+{name}")
        yield
    finally:
        for name in added:
            with contextlib.suppress(OSError):
                control.write_text(f"-{name}")


@contextlib.contextmanager
def delegated(*controllers: str) -> Iterator[Group]:
    """A new group that is offered these and no others; a skip where there can be none."""
    root = mount_point()
    if root is None:
        raise unittest.SkipTest(f"{CANNOT}: it has no cgroup v2")
    offered = (root / "cgroup.controllers").read_text().split()
    missing = set(controllers) - set(offered)
    if missing:
        raise unittest.SkipTest(f"{CANNOT}: cgroup v2 has no {', '.join(sorted(missing))} here")
    between = root / f"retort-test-{os.getpid()}-{time.monotonic_ns()}"
    with contextlib.ExitStack() as stack:
        try:
            between.mkdir()
            stack.callback(between.rmdir)
            stack.enter_context(enabled(root, list(controllers)))
            (between / "cgroup.subtree_control").write_text(
                " ".join(f"+{name}" for name in controllers))
        except OSError as error:
            raise unittest.SkipTest(f"{CANNOT}: no control group for a test: {error}") from None
        group = Group(between / "own")
        group.path.mkdir()
        stack.callback(group.remove)
        yield group
