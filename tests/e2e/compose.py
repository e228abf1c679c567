"""The fleet of docker-compose.yml: real images, under the Docker daemon of docker_run.py."""

from __future__ import annotations

import json
from typing import Any

from docker_daemon import Daemon
from fleet import PASSWORDS, Fleet
from service import wait_until

STOP_S = 15
CHOSEN = ("API_KEYS", "PORT", "SECOND_PORT", "SECCOMP_PROFILE", "APPARMOR_PROFILE", "REDIS_IMAGE",
          "RETORT_IMAGE", "REQUIRE_ISOLATION", "REDIS_API_PASSWORD", "REDIS_WORKER_PASSWORD")


class Compose(Fleet):
    how = "docker"

    def __init__(self) -> None:
        self.daemon = Daemon()
        self.containers: dict[str, str] = {}

    def start(self, workers: int) -> None:
        for name in CHOSEN:
            self.daemon.environment.pop(name, None)
        self.daemon.environment["REDIS_ADMIN_PASSWORD"] = PASSWORDS["admin"]
        self.daemon.build_images()
        self.daemon.compose("up", "--detach", "--scale", f"worker={workers}")
        for service in ("redis", "api", "worker"):
            for identity in self.daemon.compose("ps", "--quiet", service).split():
                name = f"worker-{identity[:12]}" if service == "worker" else service
                self.containers[name] = identity

    def workers(self) -> list[str]:
        return [name for name in self.containers if name.startswith("worker-")]

    def worker_of(self, worker_id: str) -> str:
        return f"worker-{worker_id[:12]}"  # a container's host name is the start of its id

    def kill(self, name: str) -> None:
        self.daemon.docker("kill", self.containers[name])

    def stop(self, name: str) -> int:
        self.daemon.docker("stop", "--time", str(STOP_S), self.containers[name])
        state = self.inspect(name)["State"]
        assert not state["OOMKilled"], state
        return int(state["ExitCode"])

    def begin(self, name: str) -> None:
        self.daemon.docker("start", self.containers[name])

    def pause(self, name: str) -> None:
        self.daemon.docker("pause", self.containers[name])

    def resume(self, name: str) -> None:
        self.daemon.docker("unpause", self.containers[name])

    def cut(self, name: str) -> None:
        self.daemon.docker("network", "disconnect", "retort_back", self.containers[name])

    def join(self, name: str) -> None:
        self.daemon.docker("network", "connect", "retort_back", self.containers[name])

    def replace(self, name: str) -> None:
        wait_until(lambda: self.inspect(name)["RestartCount"] > 0, "the container is restarted", 20)

    def admin(self, *arguments: str) -> str:
        return self.daemon.docker(
            "exec", "--env", f"REDIS_URL=redis://admin:{PASSWORDS['admin']}@redis:6379/0",
            self.containers["api"], "retort-admin", *arguments)

    def log(self, name: str) -> str:
        done = self.daemon.try_docker("logs", self.containers[name])
        return done.stdout + done.stderr

    def address(self, name: str) -> tuple[str, int]:
        if name == "api":
            return "127.0.0.1", 8080
        return self.inspect(name)["NetworkSettings"]["Networks"]["retort_back"]["IPAddress"], 6379

    def inspect(self, name: str) -> Any:
        return json.loads(self.daemon.docker("inspect", self.containers[name]))[0]

    def close(self) -> list[str]:
        self.daemon.compose("down", "--volumes", "--timeout", str(STOP_S))
        left = self.daemon.docker("ps", "--all", "--quiet").split()
        self.daemon.close()
        return [f"container {identity} is left" for identity in left]
