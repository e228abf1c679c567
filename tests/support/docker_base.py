"""The base image of the tests under Docker: a minimal Debian 12 with what the Dockerfiles need.

No image registry is asked: debootstrap makes it from Debian's archive, once for a list of packages;
it is kept as a tar file in the build cache (RETORT_CACHE, ~/.cache/retort).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCKERFILE = ROOT / "deploy/Dockerfile"
SUITE = "bookworm"
# Redis of the same distribution stands in for the image of docker-compose.yml; the rest is what
# tests/deploy starts a host with.
EXTRA_PACKAGES = ("redis-server", "systemd", "systemd-sysv", "curl", "iproute2")
# What neither programs nor dpkg-query need.
LEFT_OUT = ("./dev", "./var/cache/apt/archives", "./var/lib/apt/lists", "./usr/share/doc",
            "./usr/share/locale", "./usr/share/man")
TIMEOUT_S = 600


def packages() -> list[str]:
    """The Dockerfile's libraries, and the tests' own."""
    found = re.search(r'^ARG LIBRARIES="([^"]*)"', DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert found, f"{DOCKERFILE} has no line ARG LIBRARIES"
    return sorted([*found.group(1).split(), *EXTRA_PACKAGES])


def path_of(names: list[str]) -> pathlib.Path:
    cache = pathlib.Path(os.environ.get("RETORT_CACHE") or pathlib.Path.home() / ".cache/retort")
    key = hashlib.sha256("\n".join([SUITE, *LEFT_OUT, *names]).encode()).hexdigest()[:16]
    return cache / "container" / f"{SUITE}-{key}.tar"


def make(names: list[str], target: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory(prefix="retort-base-") as directory:
        tree = f"{directory}/tree"
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={','.join(names)}", SUITE,
                        tree], check=True, stdout=subprocess.DEVNULL, timeout=TIMEOUT_S)
        partial = f"{directory}/tar"
        subprocess.run(["tar", "-C", tree, *(f"--exclude={name}" for name in LEFT_OUT), "-cf",
                        partial, "."], check=True, timeout=TIMEOUT_S)
        kept = target.with_suffix(".partial")
        shutil.copyfile(partial, kept)
        kept.rename(target)


def base() -> pathlib.Path:
    """The tar file, made if it is not there. Raises what debootstrap ends with."""
    names = packages()
    target = path_of(names)
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            print("  making a base image with debootstrap (a minute, once)", flush=True)
            make(names, target)
    return target
