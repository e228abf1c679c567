"""Isolation around the guest: what a job process has and sees, looked at from outside.

Each kind of start (root, an ordinary user, root without capabilities, a host that forbids
namespaces) runs the real programs; a job that sleeps is looked at in /proc.
"""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import unittest

from service import BUILD, IMAGE, SANITIZED, Process, ServiceTest, descendants, wait_until

RUN = BUILD / "retort-run"
WORKER = BUILD / "retort-worker"
IS_ROOT = os.geteuid() == 0
SANDBOX_UID = 65534
ORDINARY_UID = 65533
ORDINARY = ["setpriv", f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", "--clear-groups"]
NO_CAPABILITIES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
NAMESPACES = {"user": "user", "mount": "mnt", "pid": "pid", "network": "net", "ipc": "ipc",
              "uts": "uts", "cgroup": "cgroup"}
CGROUPS = {"memory-cgroup", "pids-cgroup"}
SLEEP = "import time; time.sleep(60)"
CPU_LIMIT_S = 50
# Variables and descriptors of the worker's that must not arrive in a job.
SECRET = "RETORT_TEST_SECRET"


def namespaces_permitted() -> bool:
    """May an ordinary user have a user namespace, and in it a mount?"""
    prefix = ORDINARY if IS_ROOT else []
    probe = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/proc"]
    return subprocess.run([*prefix, *probe], capture_output=True, check=False).returncode == 0


PERMITTED = namespaces_permitted()


class Sandbox:
    """retort-run with a program that sleeps, started by way of a command like setpriv."""

    def __init__(self, prefix: list[str]) -> None:
        self.process = subprocess.Popen(
            [*prefix, str(RUN), "--image", str(IMAGE), "-c", SLEEP], stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], SECRET: "1", "MAX_EXEC_TIMEOUT_MS": "60000",
                 "CPU_TIME_LIMIT_SEC": str(CPU_LIMIT_S)})
        self.job: Process = wait_until(self.sleeping_job, "a job that sleeps", 60)
        self.zygote_pid = self.job.parent

    def sleeping_job(self) -> Process | None:
        """Not only asleep: after the go byte the last of its limits is set. Nor the zygote's
        rehearsal, which is soon gone and has limits of its own."""
        return next((p for p in descendants(self.process.pid)
                     if p.name == "retort-job" and self.has_cpu_limit(p.pid)), None)

    def has_cpu_limit(self, pid: int) -> bool:
        limit = self.limit(pid, "Max cpu time")
        return limit.isdigit() and int(limit) >= CPU_LIMIT_S

    @staticmethod
    def limit(pid: int, name: str) -> str:
        try:
            lines = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
        except OSError:
            return "unlimited"
        return next(line[26:].split()[0] for line in lines if line.startswith(name))

    def status(self, name: str, pid: int | None = None) -> str:
        text = pathlib.Path(f"/proc/{pid or self.job.pid}/status").read_text()
        found = re.search(rf"^{name}:[ \t]*(.*?)[ \t]*$", text, re.MULTILINE)
        assert found, f"{name} in {text}"
        return found.group(1)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class JobProcess(unittest.TestCase):
    """As started by whoever runs the tests."""

    prefix: list[str] = []
    uid = SANDBOX_UID if IS_ROOT else os.geteuid()
    sandbox: Sandbox

    @classmethod
    def setUpClass(cls) -> None:
        cls.sandbox = Sandbox(cls.prefix)
        cls.addClassCleanup(cls.sandbox.end)

    def proc(self, name: str) -> pathlib.Path:
        return pathlib.Path(f"/proc/{self.sandbox.job.pid}/{name}")

    def test_it_has_no_privileges(self) -> None:
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(self.sandbox.status(name), 16), 0, name)
        self.assertEqual(self.sandbox.status("NoNewPrivs"), "1")
        self.assertEqual(self.sandbox.status("Seccomp"), "2")
        for kind in ("Uid", "Gid"):
            self.assertEqual(self.sandbox.status(kind).split(), [str(self.uid)] * 4)
        self.assertEqual(self.sandbox.status("Groups"), "")

    @unittest.skipUnless(IS_ROOT, "only root may look")
    def test_it_has_one_descriptor_and_that_is_its_socket(self) -> None:
        if SANITIZED:
            self.skipTest("the sanitizers report to standard error")
        self.assertEqual(os.listdir(self.proc("fd")), ["0"])
        self.assertRegex(os.readlink(self.proc("fd/0")), r"^socket:")

    @unittest.skipUnless(IS_ROOT, "only root may look")
    def test_it_has_no_environment_and_says_nothing_of_the_host(self) -> None:
        self.assertEqual(self.proc("environ").read_bytes(), b"")
        self.assertEqual(self.proc("comm").read_text(), "retort-job\n")
        arguments = self.proc("cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        self.assertEqual(arguments[0], b"retort-zygote")
        for argument in arguments:
            self.assertNotIn(str(IMAGE).encode(), argument)

    def test_its_memory_is_hidden_from_its_user(self) -> None:
        """The kernel gives the files of a process that must not be dumped to root."""
        self.assertEqual(self.proc("maps").stat().st_uid, 0)

    @unittest.skipUnless(IS_ROOT, "only root may look")
    def test_the_zygote_shares_no_memory_with_it(self) -> None:
        shared = re.compile(r"^\S+ ...s .*", re.MULTILINE)
        zygote_maps = pathlib.Path(f"/proc/{self.sandbox.zygote_pid}/maps").read_text()
        self.assertEqual(shared.findall(zygote_maps), [])
        self.assertEqual(len(shared.findall(self.proc("maps").read_text())), 1)

    def test_it_goes_first_when_the_host_runs_out_of_memory(self) -> None:
        self.assertEqual(self.proc("oom_score_adj").read_text(), "1000\n")

    def test_it_shares_no_namespace_with_the_worker(self) -> None:
        self.require_namespaces()
        for name, file in NAMESPACES.items():
            with self.subTest(name):
                self.assertNotEqual(os.readlink(self.proc(f"ns/{file}")),
                                    os.readlink(f"/proc/self/ns/{file}"))

    def test_the_zygote_is_process_1(self) -> None:
        self.require_namespaces()
        self.assertEqual(self.sandbox.status("NSpid", self.sandbox.zygote_pid).split()[1], "1")

    @unittest.skipUnless(IS_ROOT, "only root may look")
    def test_its_root_is_empty_and_read_only(self) -> None:
        self.require_namespaces()
        if SANITIZED:
            self.skipTest("a sanitizer's program needs its libraries")
        self.assertEqual(os.listdir(self.proc("root/")), [])
        self.assertTrue(os.statvfs(self.proc("root/")).f_flag & os.ST_RDONLY)
        self.assertEqual(len(self.proc("mountinfo").read_text().splitlines()), 1)

    @unittest.skipUnless(IS_ROOT, "only root may look")
    def test_it_has_no_network_and_no_name(self) -> None:
        self.require_namespaces()
        interfaces = [line.split(":")[0].strip()
                      for line in self.proc("net/dev").read_text().splitlines()[2:]]
        self.assertLessEqual(set(interfaces) - {"lo"}, {"tunl0", "sit0", "ip6tnl0", "gre0", "erspan0"})
        self.assertEqual(self.proc("net/route").read_text().splitlines()[1:], [])
        named = subprocess.run(["nsenter", "-t", str(self.sandbox.job.pid), "-u", "uname", "-n"],
                               capture_output=True, text=True, check=True)
        self.assertEqual(named.stdout, "retort\n")

    def test_its_user_namespace_knows_one_user_and_no_setgroups(self) -> None:
        self.require_namespaces()
        for name in ("uid_map", "gid_map"):
            self.assertEqual(self.proc(name).read_text().split(),
                             [str(SANDBOX_UID), str(self.uid), "1"])
        self.assertEqual(self.proc("setgroups").read_text(), "deny\n")

    def require_namespaces(self) -> None:
        if not PERMITTED and self.uid != SANDBOX_UID:
            self.skipTest("this machine permits no namespaces to ordinary users")


@unittest.skipUnless(IS_ROOT, "needs root to become another user")
class JobProcessOfOrdinaryUser(JobProcess):
    prefix = ORDINARY
    uid = ORDINARY_UID


@unittest.skipUnless(IS_ROOT, "needs root to have a bounding set to empty")
class BoundingSet(unittest.TestCase):
    def test_it_is_empty(self) -> None:
        for prefix in ([], ORDINARY if PERMITTED else []):
            sandbox = Sandbox(prefix)
            self.addCleanup(sandbox.end)
            self.assertEqual(int(sandbox.status("CapBnd"), 16), 0)


class Deaths(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = Sandbox([])
        self.addCleanup(self.sandbox.end)
        self.pids = [self.sandbox.zygote_pid, self.sandbox.job.pid]

    def assert_gone(self) -> None:
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in self.pids),
                   "the end of zygote and job")

    def test_a_killed_worker_takes_zygote_and_job_along(self) -> None:
        self.sandbox.process.kill()
        self.sandbox.process.wait()
        self.assert_gone()

    def test_a_killed_zygote_takes_its_jobs_along(self) -> None:
        os.kill(self.sandbox.zygote_pid, signal.SIGKILL)
        self.assert_gone()
        self.assertNotEqual(self.sandbox.process.wait(20), 0)

    def test_other_signals_do_not_end_the_zygote(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(self.sandbox.zygote_pid, number)
        with self.assertRaises(subprocess.TimeoutExpired):
            self.sandbox.process.wait(0.3)
        self.assertTrue(os.path.exists(f"/proc/{self.sandbox.job.pid}"))


class Check(unittest.TestCase):
    """retort-worker --check by way of a command."""

    def check(self, *prefix: str) -> dict[str, tuple[str, str]]:
        done = subprocess.run([*prefix, str(WORKER), "--check"], capture_output=True, text=True,
                              timeout=100, check=False,
                              env={"PATH": os.environ["PATH"], "IMAGE": str(IMAGE)})
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = (line.split(None, 2) for line in done.stdout.splitlines()[3:] if line[:1] != " ")
        return {name: (state, why) for name, state, why in rows}

    def missing(self, found: dict[str, tuple[str, str]]) -> set[str]:
        """Control groups aside, which depend on who has started the worker: test_cgroups.py."""
        return {name for name, (state, _why) in found.items() if state == "off"} - CGROUPS

    # What a sanitizer build cannot have.
    ALWAYS_OFF = {"empty-root", "one-descriptor"} if SANITIZED else set()

    @unittest.skipUnless(IS_ROOT, "needs root")
    def test_root_has_every_layer(self) -> None:
        self.assertEqual(self.missing(self.check()), self.ALWAYS_OFF)

    def test_an_ordinary_user_has_every_layer(self) -> None:
        if not PERMITTED:
            self.skipTest("this machine permits no namespaces to ordinary users")
        found = self.check(*(ORDINARY if IS_ROOT else []))
        self.assertEqual(self.missing(found), self.ALWAYS_OFF - {"one-descriptor"})

    @unittest.skipUnless(IS_ROOT and PERMITTED, "needs root and user namespaces")
    def test_root_without_capabilities_lacks_another_user(self) -> None:
        found = self.check(*NO_CAPABILITIES)
        self.assertEqual(self.missing(found), self.ALWAYS_OFF | {"unprivileged-user"})
        self.assertIn("Operation not permitted", found["unprivileged-user"][1])

    @unittest.skipUnless(PERMITTED, "needs user namespaces")
    def test_a_namespace_that_the_host_forbids_is_named_and_done_without(self) -> None:
        """The kernel's own limits, in a user namespace of the test's."""
        for name in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
            with self.subTest(name):
                forbid = f'echo 0 >/proc/sys/user/max_{name}_namespaces && exec "$@"'
                found = self.check("unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh")
                row = {"mnt": "mount", "net": "network"}.get(name, name) + "-namespace"
                self.assertEqual(found[row][0], "off", found)
                self.assertIn("No space left on device", found[row][1])
                also = {"empty-root"} if name == "mnt" else set()
                self.assertLessEqual(
                    self.missing(found), {row, "unprivileged-user"} | also | self.ALWAYS_OFF)

class Required(unittest.TestCase):
    """REQUIRE_ISOLATION, by way of a command that takes something away."""

    WITHOUT_NETWORK = ("unshare", "--user", "--map-root-user", "sh", "-c",
                       'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"', "sh")

    def check(self, required: str, *prefix: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*prefix, str(WORKER), "--check"], capture_output=True, text=True,
                              timeout=100, check=False,
                              env={"PATH": os.environ["PATH"], "IMAGE": str(IMAGE),
                                   "REQUIRE_ISOLATION": required})

    def worker(self, required: str, *prefix: str) -> subprocess.CompletedProcess[str]:
        """It is to refuse before it needs Redis, of which there is none."""
        return subprocess.run([*prefix, str(WORKER)], capture_output=True, text=True, timeout=100,
                              check=False,
                              env={"PATH": os.environ["PATH"], "IMAGE": str(IMAGE),
                                   "REDIS_URL": "unix:///nowhere/redis.sock",
                                   "REQUIRE_ISOLATION": required})

    def run_one(self, required: str, *prefix: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*prefix, str(RUN), "-c", "print('ran')"], capture_output=True,
                              text=True, timeout=100, check=False, stdin=subprocess.DEVNULL,
                              env={"PATH": os.environ["PATH"], "IMAGE": str(IMAGE),
                                   "REQUIRE_ISOLATION": required})

    def test_what_is_there_may_be_required(self) -> None:
        for run in (self.check, self.run_one):
            done = run("process-per-job,job-filter,worker-filter,no-new-privileges")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "ran\n")

    @unittest.skipUnless(PERMITTED, "needs user namespaces")
    def test_what_is_missing_keeps_a_single_program_from_running(self) -> None:
        for required, code, stdout in (("", 0, "ran\n"), ("job-filter", 0, "ran\n"),
                                       ("network-namespace", 2, ""), ("all", 2, "")):
            with self.subTest(required):
                done = self.run_one(required, *self.WITHOUT_NETWORK)
                self.assertEqual((done.returncode, done.stdout), (code, stdout), done.stderr)
                self.assertEqual("network-namespace (unshare: No space left on device)"
                                 in done.stderr, code != 0, done.stderr)

    @unittest.skipUnless(PERMITTED, "needs user namespaces")
    def test_what_is_missing_ends_the_worker_in_one_sentence(self) -> None:
        for run in (self.check, self.worker):
            for required in ("network-namespace", "job-filter,network-namespace", "all"):
                with self.subTest(required):
                    done = run(required, *self.WITHOUT_NETWORK)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertIn("REQUIRE_ISOLATION is not met", done.stderr)
                    self.assertIn("network-namespace (unshare: No space left on device)",
                                  done.stderr)

    def test_a_name_that_is_none_is_refused(self) -> None:
        for run, code in ((self.check, 1), (self.worker, 1), (self.run_one, 2)):
            done = run("walls")
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn("walls", done.stderr)


class Started(ServiceTest):
    settings = {"REQUIRE_ISOLATION": "process-per-job,job-filter"}

    def test_what_is_missing_is_logged_once_before_jobs_are_taken(self) -> None:
        self.assertEqual(self.service.execute("print(1)").stdout, "1\n")
        lines = [line for line in self.service.log_lines("worker") if line["event"] == "isolation"]
        self.assertEqual(len(lines), 1)
        if IS_ROOT and not SANITIZED:
            named = re.sub(r" \(.*?\)(?=, |$)", "", lines[0]["missing"] or "")
            self.assertLessEqual(set(filter(None, named.split(", "))), CGROUPS)
        else:
            self.assertEqual(lines[0]["level"], "warning" if lines[0]["missing"] else "info")


if __name__ == "__main__":
    unittest.main()
