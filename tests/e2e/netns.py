"""The fleet in network namespaces: a host is a namespace with an address of its own, joined to the
others by a bridge in the namespace of the tests.

Theory of operation. run.py has made network, mount and process namespaces, so that names of
namespaces (/run/netns), addresses and processes are nobody else's and all of them end with the tests.
A host has one program, which is told where Redis is by address. Cutting a host takes its end of the
cable off the bridge: packets are lost, as when a switch fails, and nobody is told. What a program has
started is found by its parents.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import service
from fleet import PASSWORDS, ROOT, Fleet
from stack import redis_server

BRIDGE = "10.77.0.254"
NETWORK = "10.77.0"
STOP_S = 20.0


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=20)


class Netns(Fleet):
    how = "netns"

    def __init__(self, worker_settings: dict[str, str] | None = None) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run"], check=True)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="retort-e2e-"))
        self.directory.chmod(0o755)
        self.worker_settings = worker_settings or {}
        self.hosts: dict[str, str] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        ip("link", "set", "lo", "up")
        ip("link", "add", "switch", "type", "bridge")
        ip("address", "add", f"{BRIDGE}/24", "dev", "switch")
        ip("link", "set", "switch", "up")

    def start(self, workers: int) -> None:
        redis_server(self.directory)  # a link of that name, where there is none in the path
        (self.directory / "data").mkdir()
        for name in ("redis", "api", *(f"worker{i + 1}" for i in range(workers))):
            self.add_host(name)
            self.begin(name)
            if name == "redis":
                service.wait_until(self.redis_answers, "redis answers", 20)

    def redis_answers(self) -> bool:
        try:
            return self.read("PING") == "PONG"
        except (OSError, RuntimeError):
            return False

    def add_host(self, name: str) -> None:
        """A cable from the bridge, with the end `eth0` at the host."""
        self.hosts[name] = f"{NETWORK}.{len(self.hosts) + 1}"
        ip("netns", "add", name)
        ip("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("link", "set", f"to-{name}", "master", "switch", "up")
        ip("-n", name, "address", "add", f"{self.hosts[name]}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            ip("-n", name, "link", "set", link, "up")

    def workers(self) -> list[str]:
        return [name for name in self.hosts if name.startswith("worker")]

    def worker_of(self, worker_id: str) -> str:
        return worker_id

    def command(self, name: str) -> tuple[list[str], dict[str, str]]:
        """What a host runs, and its settings."""
        user = "worker" if name.startswith("worker") else name
        settings = {"REDIS_URL": f"redis://{user}:{PASSWORDS.get(user, '')}@{self.hosts['redis']}:6379/0"}
        if name == "redis":
            passwords = {f"{user.upper()}_PASSWORD": word for user, word in PASSWORDS.items()}
            return [str(ROOT / "deploy/redis/start.sh"), "--dir", str(self.directory / "data")], {
                **passwords, "PATH": f"{os.environ['PATH']}:{self.directory}"}
        if name == "api":
            return [str(service.BUILD / "retort-api")], {
                **settings, "HOST": "0.0.0.0", "PORT": "8000", "ALLOW_ANONYMOUS": "1"}
        return [str(service.BUILD / "retort-worker")], {
            **settings, "WORKER_ID": name, "IMAGE": str(service.IMAGE), "SLOTS": "2",
            **self.worker_settings}

    def begin(self, name: str) -> None:
        command, settings = self.command(name)
        with open(self.directory / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{name}", "--", *command], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={**os.environ, **settings}, start_new_session=True)

    def below(self, name: str) -> list[int]:
        return [found.pid for found in service.descendants(self.processes[name].pid)]

    def kill(self, name: str) -> None:
        below = self.below(name)
        self.processes[name].kill()
        self.processes[name].wait()
        # A job's or a zygote's parent is gone, which ends it: nobody kills it here.
        service.wait_until(lambda: not self.running(below), "what the dead one started is gone", 5)

    @staticmethod
    def running(pids: list[int]) -> list[int]:
        found = service.processes()
        return [pid for pid in pids if pid in found and found[pid].state != "Z"]

    def stop(self, name: str) -> int:
        process = self.processes[name]
        process.terminate()
        return process.wait(STOP_S)

    def signal_all(self, name: str, number: int) -> None:
        for pid in [self.processes[name].pid, *self.below(name)]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def pause(self, name: str) -> None:
        self.signal_all(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self.signal_all(name, signal.SIGCONT)

    def cut(self, name: str) -> None:
        ip("link", "set", f"to-{name}", "nomaster")

    def join(self, name: str) -> None:
        ip("link", "set", f"to-{name}", "master", "switch")

    def replace(self, name: str) -> None:
        assert self.processes[name].wait(STOP_S) == 0, self.processes[name].returncode
        self.begin(name)

    def admin(self, *arguments: str) -> str:
        url = f"redis://admin:{PASSWORDS['admin']}@{self.hosts['redis']}:6379/0"
        return subprocess.run([str(service.BUILD / "retort-admin"), *arguments], check=True, text=True,
                              env={"REDIS_URL": url}, stdout=subprocess.PIPE, timeout=60).stdout

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text("utf-8", "replace")

    def address(self, name: str) -> tuple[str, int]:
        return self.hosts[name], 8000 if name == "api" else 6379

    def close(self) -> list[str]:
        faults = []
        below = [pid for name in self.processes for pid in self.below(name)]
        for name in reversed(list(self.processes)):
            try:
                status = self.stop(name)
                faults += [f"{name} ended with status {status}"] if status != 0 else []
            except subprocess.TimeoutExpired:
                self.processes[name].kill()
                faults.append(f"{name} did not end")
        faults += [f"process {pid} is left" for pid in self.running(below)]
        shutil.rmtree(self.directory)
        return faults
