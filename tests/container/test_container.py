"""Retort in a container, under Docker's own system-call profile and under deploy/seccomp.json, as
root and as an ordinary user: always without capabilities, with a root that cannot be written and
with no-new-privileges. run.py starts this where there is a Docker daemon for it.
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import pathlib
import subprocess
import sys
import unittest
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests/hostile")]
import corpus  # noqa: E402
from docker_daemon import Daemon  # noqa: E402
from service import wait_until  # noqa: E402

SEALED = ["--cap-drop", "ALL", "--read-only", "--security-opt", "no-new-privileges",
          "--pids-limit", "512"]
PROFILES = {"docker": [], "retort": ["--security-opt", f"seccomp={ROOT}/deploy/seccomp.json"]}
USERS = {"root": "0:0", "ordinary": "10001:10001"}
NAMESPACE_LAYERS = {"user-namespace", "mount-namespace", "pid-namespace", "network-namespace",
                    "ipc-namespace", "uts-namespace", "cgroup-namespace", "empty-root"}
# Docker mounts them read-only, if it is version 2 at all.
CGROUP_LAYERS = {"memory-cgroup", "pids-cgroup"}
# docs/CONTAINERS.md has this table. Whoever is root in there without capabilities remains it.
MISSING = {("docker", "root"): NAMESPACE_LAYERS | {"unprivileged-user"},
           ("docker", "ordinary"): NAMESPACE_LAYERS,
           ("retort", "root"): {"unprivileged-user"},
           ("retort", "ordinary"): set()}
# What cannot be seen without the right to look at other users' processes.
UNSEEN = {"hidden-memory", "one-descriptor", "no-environment"}
# Of tests/hostile: one of each kind of end, and those that go for what a container is made of.
CASES = ["time.busy-loop", "time.sleep", "memory.one-string", "memory.small-objects",
         "depth.recursion", "output.flood", "files.host-paths", "files.bomb-in-work", "end.abort",
         "end.exit-text", "escape.processes", "escape.fork-bomb", "escape.sockets",
         "escape.environment", "escape.all-of-memory"]
STOP_S = "15"

daemon: Daemon


def setUpModule() -> None:
    global daemon
    daemon = Daemon()
    daemon.build_images()
    daemon.docker("network", "create", "retort")


def tearDownModule() -> None:
    daemon.close()


def ask(port: int, method: str, path: str, payload: Any = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        body = None if payload is None else json.dumps(payload)
        connection.request(method, path, body, {"Content-Type": "application/json",
                                                "Authorization": "Bearer dev_123"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def is_ready(port: int) -> bool:
    try:
        return ask(port, "GET", "/readyz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def states(table: str) -> dict[str, set[str]]:
    """The layers of a table of --check, by their state."""
    found: dict[str, set[str]] = {"on": set(), "off": set(), "unknown": set()}
    for line in table.splitlines():
        words = line.split()
        if len(words) > 1 and not line.startswith(" ") and words[1] in found:
            found[words[1]].add(words[0])
    return found


class Layers(unittest.TestCase):
    def check(self, profile: str, user: str, required: str = "") -> subprocess.CompletedProcess[str]:
        return daemon.try_docker(
            "run", "--rm", "--network", "none", *SEALED, *PROFILES[profile], "--user", USERS[user],
            "--env", f"REQUIRE_ISOLATION={required}", "retort", "retort-worker", "--check")

    def test_what_is_in_force_is_what_the_documents_say(self) -> None:
        for (profile, user), missing in MISSING.items():
            with self.subTest(profile=profile, user=user):
                done = self.check(profile, user)
                self.assertEqual(done.returncode, 0, done.stderr)
                found = states(done.stdout)
                self.assertEqual(found["off"], missing | CGROUP_LAYERS, done.stdout)
                self.assertLessEqual(found["unknown"], UNSEEN)
                self.assertGreater(len(found["on"]), 5)

    def test_namespaces_may_be_required_under_the_profile_that_permits_them(self) -> None:
        required = ",".join(sorted(NAMESPACE_LAYERS))
        done = self.check("retort", "ordinary", required)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = self.check("docker", "ordinary", required)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertIn("REQUIRE_ISOLATION is not met", done.stderr)

    def test_a_worker_without_what_it_requires_does_not_start(self) -> None:
        done = daemon.try_docker(
            "run", "--rm", "--network", "none", *SEALED, "--env", "REQUIRE_ISOLATION=empty-root",
            "retort", "retort-worker")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("empty-root", done.stdout + done.stderr)


class Profile(unittest.TestCase):
    """What deploy/seccomp.json refuses, by calls that need no capability and would else fail for
    their arguments, if at all."""

    CALLS = {"keyctl": "250, 0, -3, 0", "setns": "308, -1, 0", "userfaultfd": "323, -1",
             "process_vm_readv": "310, 1, 0, 0, 0, 0, 1", "io_uring_setup": "425, 0, 0",
             "ptrace": "101, 9999, 1, 0, 0", "kcmp": "312, 0, 0, -1, 0, 0", "msgget": "68, 0, 0",
             "AF_ALG": "41, 38, 5, 0", "AF_VSOCK": "41, 40, 1, 0", "AF_NETLINK": "41, 16, 3, 0",
             "a terminal's input": "16, 0, 0x5412, 0", "limits of others": "302, 9999, 0, 0, 0"}
    REFUSED = {errno.EPERM, errno.ENOSYS}

    def errors(self, *options: str) -> dict[str, int]:
        script = "".join(f"$! = 0; syscall({arguments}); print qq({name}=), $!+0, qq(\\n);"
                         for name, arguments in self.CALLS.items())
        printed = daemon.docker("run", "--rm", "--network", "none", *SEALED, *options, "--user",
                                "10001", "base", "perl", "-e", script)
        return {line.split("=")[0]: int(line.split("=")[1]) for line in printed.splitlines()}

    def test_calls_that_retort_does_not_make_are_refused(self) -> None:
        found = self.errors(*PROFILES["retort"])
        self.assertEqual(found.keys(), self.CALLS.keys())
        for name, code in found.items():
            with self.subTest(name):
                self.assertIn(code, self.REFUSED)

    def test_without_it_most_of_them_are_not(self) -> None:
        found = self.errors("--security-opt", "seccomp=unconfined")
        made = [name for name, code in found.items() if code not in self.REFUSED]
        self.assertGreater(len(made), len(self.CALLS) // 2, found)

    def test_only_the_mounts_of_a_zygotes_start_are_made(self) -> None:
        script = ("syscall(272, 0x10020000) == 0 or die 'unshare'; my @a = qw(none /tmp tmpfs);"
                  "for my $flags (0x44000, 0xf, 0, 0x1000, 0x20) {"
                  "$! = 0; syscall(165, @a, $flags, 0); print $!+0, ' '}")
        printed = daemon.docker("run", "--rm", "--network", "none", *SEALED, *PROFILES["retort"],
                                "--user", "10001", "base", "perl", "-e", script)
        private, empty_root, *others = [int(word) for word in printed.split()]
        self.assertEqual(empty_root, 0)
        self.assertNotIn(private, self.REFUSED)  # /tmp is no mount
        for code in others:
            self.assertIn(code, self.REFUSED)

    def test_a_shell_and_an_init_run_in_it(self) -> None:
        for options in ([], ["--init"], ["--user", "0"]):
            printed = daemon.docker("run", "--rm", "--network", "none", *SEALED, *PROFILES["retort"],
                                    *options, "retort", "bash", "-c",
                                    "for i in 1 2; do echo $i | cat; done | wc -l; id -u | wc -l")
            self.assertEqual(printed.split(), ["2", "1"])

    def test_containers_start_without_no_new_privileges_too(self) -> None:
        """The runtime then changes the user when the profile is in force."""
        printed = daemon.docker("run", "--rm", "--network", "none", *PROFILES["retort"], "--user",
                                "33:33", "base", "id", "-u")
        self.assertEqual(printed, "33")


class Programs(unittest.TestCase):
    """Hostile programs over HTTP, with each kind of worker."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.cases = [case for case in corpus.load() if case.name in CASES]
        cls.start("redis", "redis:7-bookworm", ["--user", "999", "--tmpfs", "/data:uid=999"],
                  ["redis-server", "--protected-mode", "no", "--save", ""])
        cls.start("api", "retort", [*PROFILES["retort"], "--publish", "127.0.0.1::8000", "--env",
                                    "HOST=0.0.0.0", "--env", "ALLOW_ANONYMOUS=1"], ["retort-api"])
        cls.port = int(daemon.docker("port", "api", "8000").rsplit(":", 1)[1])

    @classmethod
    def tearDownClass(cls) -> None:
        daemon.docker("rm", "--force", "api", "redis")

    @classmethod
    def start(cls, name: str, image: str, options: list[str], command: list[str]) -> None:
        settings = {**corpus.SETTINGS, "SLOTS": "2", "REDIS_URL": "redis://redis:6379/0"}
        environment = [word for key, value in settings.items() for word in ("--env", f"{key}={value}")]
        daemon.docker("run", "--detach", "--name", name, "--network", "retort", *SEALED,
                      *environment, *options, image, *command)

    def run_cases(self) -> None:
        for case in self.cases:
            with self.subTest(case.name):
                status, body = ask(self.port, "POST", "/v1/execute",
                                   {"code": case.program.decode(), "stdin": case.stdin,
                                    "timeout_ms": case.timeout_ms})
                self.assertEqual(status, 200, body[:300])
                outcome = corpus.Outcome.of(json.loads(body))
                wrong = corpus.faults(case, outcome, ["/usr/local/lib/retort/image"], "")
                self.assertEqual(wrong, [], outcome.short())

    def run_with(self, profile: str, user: str) -> None:
        self.start("worker", "retort", [*PROFILES[profile], "--user", USERS[user]],
                   ["retort-worker"])
        try:
            wait_until(lambda: is_ready(self.port), "the service is ready", 60)
            self.assertEqual(len(self.cases), len(CASES))
            self.run_cases()
            daemon.docker("stop", "--time", STOP_S, "worker")
            state = json.loads(daemon.docker("inspect", "--format", "{{json .State}}", "worker"))
            self.assertEqual((state["ExitCode"], state["OOMKilled"]), (0, False))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{daemon.try_docker('logs', 'worker').stderr}") from error
        finally:
            daemon.docker("rm", "--force", "worker")

    def test_as_an_ordinary_user_under_dockers_profile(self) -> None:
        self.run_with("docker", "ordinary")

    def test_as_an_ordinary_user_under_ours(self) -> None:
        self.run_with("retort", "ordinary")

    def test_as_root_without_capabilities_under_dockers_profile(self) -> None:
        self.run_with("docker", "root")

    def test_as_root_without_capabilities_under_ours(self) -> None:
        self.run_with("retort", "root")


class Compose(unittest.TestCase):
    """docker-compose.yml as it is."""

    PORTS = [8000, 8080]

    @classmethod
    def setUpClass(cls) -> None:
        # Ours are free: this network namespace has nobody else in it.
        for name in ("PORT", "SECOND_PORT", "SECCOMP_PROFILE", "APPARMOR_PROFILE", "REDIS_IMAGE", "RETORT_IMAGE",
                     "API_KEYS"):
            daemon.environment.pop(name, None)
        daemon.environment["REQUIRE_ISOLATION"] = ",".join(NAMESPACE_LAYERS)
        daemon.environment["COMPOSE_PROJECT_NAME"] = "retort"
        # What `make up` runs once the image is there.
        done = subprocess.run([ROOT / "deploy/compose.sh", "up"], env=daemon.environment, text=True,
                              capture_output=True, timeout=100, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "curl -s http://127.0.0.1:8080/v1/execute" in done.stdout, done.stdout

    @classmethod
    def tearDownClass(cls) -> None:
        daemon.compose("down", "--volumes", "--timeout", STOP_S)

    def container(self, service: str) -> Any:
        identity = daemon.compose("ps", "--quiet", service).split()[0]
        return json.loads(daemon.docker("inspect", identity))[0]

    def test_a_program_runs(self) -> None:
        for port in self.PORTS:
            status, body = ask(port, "POST", "/v1/execute", {"code": "print(6 * 7)"})
            self.assertEqual((status, json.loads(body)["stdout"]), (200, "42\n"))
            status, body = ask(port, "GET", "/v1/usage")
            self.assertEqual((status, json.loads(body)["label"]), (200, "dev"))

    def test_every_container_is_sealed(self) -> None:
        for service in ("redis", "api", "worker"):
            with self.subTest(service):
                found = self.container(service)
                host = found["HostConfig"]
                self.assertTrue(host["ReadonlyRootfs"])
                self.assertFalse(host["Privileged"])
                self.assertEqual(host["CapDrop"], ["ALL"])
                self.assertIn("no-new-privileges", " ".join(host["SecurityOpt"]))
                self.assertRegex(found["Config"]["User"], r"^[1-9]\d*:[1-9]\d*$")

    def test_api_and_worker_have_the_profile(self) -> None:
        profile = json.loads((ROOT / "deploy/seccomp.json").read_text())
        for service in ("api", "worker"):
            options = self.container(service)["HostConfig"]["SecurityOpt"]
            given = [option.split("=", 1)[1] for option in options if option.startswith("seccomp=")]
            self.assertEqual([json.loads(text) for text in given], [profile])

    def test_nothing_is_published_beyond_loopback(self) -> None:
        published = [(service, port["HostIp"], int(port["HostPort"]))
                     for service in ("redis", "api", "worker")
                     for ports in (self.container(service)["NetworkSettings"]["Ports"] or {}).values()
                     for port in ports or []]
        self.assertEqual(sorted(published), [("api", "127.0.0.1", port) for port in self.PORTS])

    def test_api_and_worker_get_healthy(self) -> None:
        for service in ("api", "worker"):
            wait_until(lambda: self.container(service)["State"]["Health"]["Status"] == "healthy",
                       f"the health check of {service} passes", 30)

    def test_redis_and_api_are_healthy_and_agree_on_the_end(self) -> None:
        """Redis was, or nothing would have started; no end is cut short."""
        for service in ("api", "worker"):
            found = self.container(service)["Config"]
            drain = next(int(word.split("=")[1]) for word in found["Env"]
                         if word.startswith("DRAIN_TIMEOUT_MS="))
            self.assertGreaterEqual(found["StopTimeout"] * 1000, drain + 5000)
        self.assertEqual(self.container("redis")["State"]["Health"]["Status"], "healthy")

    def test_other_workers_join(self) -> None:
        daemon.compose("up", "--detach", "--scale", "worker=3")
        workers = daemon.compose("ps", "--quiet", "worker").split()
        self.assertEqual(len(workers), 3)
        for worker in workers:
            wait_until(lambda: '"started"' in daemon.try_docker("logs", worker).stderr,
                       "the worker has started", 30)


if __name__ == "__main__":
    unittest.main()
