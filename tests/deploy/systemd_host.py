"""A host with a systemd of its own, in namespaces: the base image, Retort as `make install` and
`make install-systemd` leave it, and Debian's redis-server.

Its systemd is process 1 of a process namespace, in a tree in a temporary directory, with a control
group of version 2 in which it is the root. With it everything in there ends.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from manifests import ROOT

sys.path.insert(0, str(ROOT / "tests/support"))
import docker_base  # noqa: E402
from docker_run import install  # noqa: E402
from service import descendants, wait_until  # noqa: E402

PASSWORDS = {"API_PASSWORD": "api", "WORKER_PASSWORD": "worker", "ADMIN_PASSWORD": "admin"}
ENABLED = ("redis-server.service", "retort-worker.service", "retort-api.socket")
NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child",
              "--propagation", "private"]


def what_is_missing() -> str:
    """Why no host can be had here, or nothing."""
    if os.geteuid() != 0:
        return "it needs root"
    missing = [tool for tool in ("debootstrap", "ip", "nsenter") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} missing (deploy/deps.sh --with container)"
    if not cgroup2():
        return "the kernel shows no control groups of version 2"
    return ""


def cgroup2() -> pathlib.Path | None:
    """Where the control groups of version 2 are."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        words = line.split()
        if words[2] == "cgroup2" and os.access(words[1], os.W_OK):
            return pathlib.Path(words[1])
    return None


class SystemdHost:
    def __init__(self, api_settings: str = "") -> None:
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="retort-systemd-"))
        self.tree = self.directory / "tree"
        self.init = 0
        self.process: subprocess.Popen[bytes] | None = None
        top = cgroup2()
        assert top is not None
        self.cgroup = top / f"retort-systemd-{os.getpid()}"
        self.cgroup.mkdir()
        try:
            self.install(api_settings)
            self.process = self.boot()
            wait_until(self.is_up, "systemd has started its services", 60)
        except BaseException:
            self.close()
            raise

    def boot(self) -> subprocess.Popen[bytes]:
        with open(self.directory / "console", "wb") as console:
            return subprocess.Popen(
                [*NAMESPACES, str(ROOT / "tests/deploy/boot.sh"), str(self.tree), str(self.cgroup)],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)

    def install(self, api_settings: str) -> None:
        self.tree.mkdir()
        subprocess.run(["tar", "-C", str(self.tree), "-xf", str(docker_base.base())], check=True,
                       timeout=120)
        shutil.rmtree(self.tree / "dev", ignore_errors=True)
        install(self.directory / "programs")
        shutil.copytree(self.directory / "programs", self.tree, symlinks=True, dirs_exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        subprocess.run(["make", "-s", "-C", str(ROOT), "install-systemd", f"DESTDIR={self.tree}"],
                       check=True, timeout=60, env=environment, stdout=subprocess.DEVNULL)
        for program in ("api", "worker"):
            path = self.tree / f"etc/retort/{program}.env"
            path.write_text(path.read_text().replace("change-me", program) +
                            (api_settings if program == "api" else ""))
        redis = self.tree / "etc/redis/retort.conf"
        printed = subprocess.run([str(ROOT / "deploy/redis/start.sh"), "--print"], check=True,
                                 capture_output=True, env={**os.environ, **PASSWORDS}).stdout
        redis.write_bytes(printed)
        subprocess.run(["chroot", str(self.tree), "chown", "redis:redis", "/etc/redis/retort.conf"],
                       check=True)
        subprocess.run(["chroot", str(self.tree), "systemctl", "--quiet", "enable", *ENABLED],
                       check=True, capture_output=True)
        (self.tree / "etc/systemd/system/default.target").symlink_to(
            "/lib/systemd/system/multi-user.target")

    def is_up(self) -> bool:
        assert self.process and self.process.poll() is None, self.log()
        if not self.init:
            found = [process.pid for process in descendants(self.process.pid)
                     if process.name == "systemd"]
            self.init = min(found, default=0)
            return False
        return self.try_run("systemctl", "is-active", *ENABLED).returncode == 0

    def try_run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["nsenter", f"--target={self.init}", "--all", "--", *command],
                              capture_output=True, text=True, errors="replace", timeout=60,
                              check=False)

    def run(self, *command: str) -> str:
        done = self.try_run(*command)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
                                 f"\n{self.log()}")
        return done.stdout

    def show(self, unit: str, name: str) -> str:
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def log(self) -> str:
        journal = self.try_run("journalctl", "--no-pager", "--lines=60").stdout if self.init else ""
        return (self.directory / "console").read_text("utf-8", "replace")[-3000:] + journal

    def close(self) -> None:
        if self.process:
            self.process.kill()  # and with it the first process of its namespace, and so all
            self.process.wait()

        def gone() -> bool:
            try:
                for path, _names, _files in os.walk(self.cgroup, topdown=False):
                    os.rmdir(path)
                return True
            except OSError:
                return False
        wait_until(gone, "all its processes have ended", 20)
        shutil.rmtree(self.directory)
