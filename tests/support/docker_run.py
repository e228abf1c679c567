"""Runs tests under a Docker daemon of their own, and leaves nothing behind.

    sys.exit(docker_run.main("container", HERE / "test_container.py"))

The daemon lives in network, mount and process namespaces of its own, with a tmpfs for all that it
keeps: its bridges and firewall rules are nobody else's, two runs do not meet, and with its first
process everything in there ends, however this program ends. Nothing is fetched but the packages of
the base image, once (docker_base.py).

Where no Docker daemon can run this is a skip: counted, and printed with the reason. It is a failure
only where SKIP_IS_FAIL=1 and all that is missing is a package.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import docker_base as base  # noqa: E402

ROOT = base.ROOT
TOOLS = ("dockerd", "containerd", "runc", "iptables", "docker", "docker-compose", "debootstrap",
         "ip")
NAMESPACES = ["unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork",
              "--kill-child", "--mount-proc"]
# A daemon's own directory of control groups outlives its namespaces.
CGROUPS = pathlib.Path("/sys/fs/cgroup")
TIMEOUT_S = 500


class Skip(Exception):
    """Why there is no Docker here."""


class NotInstalled(Skip):
    """Something that can be mended."""


def require_tools() -> None:
    if os.geteuid() != 0:
        raise Skip("a Docker daemon needs root")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise NotInstalled(f"{', '.join(missing)} missing (deploy/deps.sh --with container)")


def require_docker(environment: dict[str, str]) -> None:
    """A daemon that starts, and a container in it that Docker confines as it always does."""
    probe = subprocess.run([*NAMESPACES, sys.executable, str(HERE / "docker_daemon.py")], text=True,
                           capture_output=True, timeout=TIMEOUT_S, env=environment, check=False)
    if probe.returncode != 0:
        raise Skip((probe.stderr or probe.stdout).strip()[-600:])


def install(directory: pathlib.Path) -> None:
    """What the Dockerfile copies, as `make container` lays it out."""
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    subprocess.run(["make", "-s", "-C", str(ROOT), "container-root", f"CONTAINER_ROOT={directory}"],
                   check=True, stdout=subprocess.DEVNULL, timeout=TIMEOUT_S, env=environment)


def remove_cgroups(name: str) -> None:
    """Children first; of each there is one for every hierarchy."""
    for top in [CGROUPS / name, *CGROUPS.glob(f"*/{name}")]:
        for path, _names, _files in os.walk(top, topdown=False):
            try:
                os.rmdir(path)
            except OSError:
                pass


def run(suite: str, modules: list[pathlib.Path], match: str, title: str = "") -> int:
    """The suite's status; title is printed before it. Raises Skip when nothing of it can run."""
    require_tools()
    archive = base.base()
    name = f"retort-test-{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="retort-container-") as directory:
        install(pathlib.Path(directory) / "root")
        environment = {**os.environ, "CONTAINER_BASE": str(archive), "CONTAINER_CGROUP": name,
                       "CONTAINER_DIRECTORY": directory, "DOCKER_BUILDKIT": "0"}
        try:
            require_docker(environment)
            if title:
                print(title, flush=True)
            return subprocess.run(
                [*NAMESPACES, sys.executable, str(HERE / "runner.py"), "--name", suite, "--match",
                 match, *map(str, modules)],
                env=environment, timeout=TIMEOUT_S, check=False).returncode
        finally:
            remove_cgroups(name)


def main(suite: str, *modules: pathlib.Path) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--match", default="")
    try:
        return run(suite, list(modules), parser.parse_args().match)
    except Skip as skip:
        print(f"  skip  no container was started: {skip}")
        print(f"{suite}: 0 passed, 0 failed, 1 skipped")
        return int(isinstance(skip, NotInstalled) and os.environ.get("SKIP_IS_FAIL") == "1")
