"""Runs the scenarios on several hosts, and leaves nothing behind.

    run.py [--how docker|netns|auto] [--match WORD]

docker: the containers of docker-compose.yml under a Docker daemon of the tests' own. netns: the
programs as they were built, each in a network namespace. auto: docker where there is a daemon, else
netns. Which it was is said at the beginning and at the end.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"
sys.path.insert(0, str(SUPPORT))
import docker_run  # noqa: E402

MODULE = HERE / "test_scenarios.py"
TITLES = {"docker": "containers of docker-compose.yml, under Docker",
          "netns": "processes in network namespaces, without Docker"}
TIMEOUT_S = 500


def title(how: str, why: str = "") -> str:
    return f"==== end to end: {TITLES[how]}{' (' + why + ')' if why else ''} ===="


def run_docker(match: str) -> int:
    os.environ["E2E_HOW"] = "docker"
    status = docker_run.run("e2e", [MODULE], match, title("docker"))
    print(title("docker"), flush=True)
    return status


def run_netns(match: str, why: str = "") -> int:
    if os.geteuid() != 0 or subprocess.run([*docker_run.NAMESPACES, "true"], check=False,
                                           stderr=subprocess.DEVNULL).returncode != 0:
        raise docker_run.Skip("network namespaces need root")
    print(title("netns", why), flush=True)
    status = subprocess.run(
        [*docker_run.NAMESPACES, sys.executable, str(SUPPORT / "runner.py"), "--name", "e2e",
         "--match", match, str(MODULE)], env={**os.environ, "E2E_HOW": "netns"}, check=False,
        timeout=TIMEOUT_S).returncode
    print(title("netns", why), flush=True)
    return status


def run(how: str, match: str) -> int:
    if how == "netns":
        return run_netns(match)
    try:
        return run_docker(match)
    except docker_run.Skip as skip:
        if how == "docker":
            raise
        return run_netns(match, f"no Docker: {skip}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--how", choices=["docker", "netns", "auto"], default="auto")
    parser.add_argument("--match", default="")
    arguments = parser.parse_args()
    try:
        return run(arguments.how, arguments.match)
    except docker_run.Skip as skip:
        print(f"  skip  no host was started: {skip}")
        print("e2e: 0 passed, 0 failed, 1 skipped")
        return int(isinstance(skip, docker_run.NotInstalled)
                   and os.environ.get("SKIP_IS_FAIL") == "1")


if __name__ == "__main__":
    sys.exit(main())
