"""A Docker daemon in the namespaces that docker_run.py made, its client, and the images.

As a program: starts one, and in it a container that does nothing. Says what keeps it from that.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STATE = pathlib.Path("/run/retort-docker")
HOST = f"unix://{STATE}/sock"
READY_S = 60
COMMAND_S = 100
LOG_LINES = 15


class Daemon:
    """The only one in its namespaces. With the last of these its containers are gone too."""

    def __init__(self) -> None:
        # Sockets, images and containers, and what containerd keeps beside them.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        STATE.mkdir()
        self.environment = {**os.environ, "DOCKER_HOST": HOST}
        with open(STATE / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["dockerd", "--data-root", f"{STATE}/data", "--exec-root", f"{STATE}/exec",
                 "--host", HOST, "--pidfile", f"{STATE}/pid", "--log-level", "warn",
                 "--cgroup-parent", f"/{os.environ['CONTAINER_CGROUP']}"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.wait_ready()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while self.try_docker("info").returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                lines = (STATE / "log").read_text("utf-8", "replace").splitlines()[-LOG_LINES:]
                raise AssertionError("dockerd does not start:\n" + "\n".join(lines))
            time.sleep(0.1)

    def try_docker(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["docker", *arguments], env=self.environment, capture_output=True,
                              text=True, errors="replace", timeout=COMMAND_S, check=False)

    def docker(self, *arguments: str) -> str:
        """Its output; what docker complains of is raised."""
        done = self.try_docker(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"docker {' '.join(arguments)}: {done.returncode}\n"
                                 f"{done.stdout[-1500:]}{done.stderr[-1500:]}")
        return done.stdout.strip()

    def build_images(self) -> None:
        """`base`, `retort` by its Dockerfile, and a Redis under the name of the registry's."""
        self.docker("import", os.environ["CONTAINER_BASE"], "base")
        self.docker("build", "--build-arg", "BASE=base", "--target", "prebuilt", "--tag", "retort",
                    "--file", str(ROOT / "deploy/Dockerfile"),
                    os.environ["CONTAINER_DIRECTORY"] + "/root")
        redis = pathlib.Path(os.environ["CONTAINER_DIRECTORY"]) / "redis"
        redis.mkdir()
        (redis / "Dockerfile").write_text("FROM base\nRUN mkdir /data && chown 999:999 /data\n")
        self.docker("build", "--tag", "redis:7-bookworm", str(redis))

    def compose(self, *arguments: str, timeout_s: float = COMMAND_S) -> str:
        """docker-compose.yml of this repository, as project `retort`."""
        done = subprocess.run(["docker-compose", "--project-name", "retort", *arguments], cwd=ROOT,
                              env=self.environment, capture_output=True, text=True,
                              errors="replace", timeout=timeout_s, check=False)
        if done.returncode != 0:
            raise AssertionError(f"docker-compose {arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def close(self) -> None:
        containers = self.docker("ps", "--all", "--quiet").split()
        if containers:
            self.docker("rm", "--force", *containers)
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def probe() -> int:
    try:
        daemon = Daemon()
        daemon.docker("import", os.environ["CONTAINER_BASE"], "base")
        daemon.docker("run", "--rm", "--cap-drop", "ALL", "base", "true")
        daemon.close()
        return 0
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(probe())
