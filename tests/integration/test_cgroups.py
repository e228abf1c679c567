"""The control groups of zygotes: where they can be had, what they hold, and why they cannot.

What needs a delegated group makes one as root; where the kernel's version 2 has no memory or pids,
these tests are skipped and the reasons in --check are what is left to see.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import unittest

from cgroups import Group, delegated, mount_point
from service import BUILD, IMAGE, SANITIZED, Service, processes, wait_until

WORKER = BUILD / "retort-worker"
IS_ROOT = os.geteuid() == 0
ORDINARY_UID = 65533
ORDINARY = ["setpriv", f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", "--clear-groups"]
LEAF = "retort-worker"
# What job and zygote have in common is most of a zygote; this is more than either.
HOG = "kept = [bytearray(1 << 20) for _ in range(200)]; print(len(kept))"


def check(*prefix: str, required: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([*prefix, str(WORKER), "--check"], capture_output=True, text=True,
                          timeout=100, check=False,
                          env={"PATH": os.environ["PATH"], "IMAGE": str(IMAGE),
                               "REQUIRE_ISOLATION": required})


def layers(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    """memory and pids: state and why."""
    rows = (line.split(None, 2) for line in done.stdout.splitlines() if line[:1] != " ")
    return {row[0].removesuffix("-cgroup"): (row[1], row[2]) for row in rows
            if row[:1] in (["memory-cgroup"], ["pids-cgroup"])}


def group_of(pid: int) -> str:
    return next(line[3:] for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines()
                if line.startswith("0::"))


class Absent(unittest.TestCase):
    """On every machine: what cannot be had is named, and done without."""

    def assert_off(self, done: subprocess.CompletedProcess[str], *why: str) -> None:
        self.assertEqual(done.returncode, 0, done.stderr)
        found = layers(done)
        self.assertEqual(set(found), {"memory", "pids"}, done.stdout)
        for state, reason in found.values():
            self.assertEqual(state, "off", reason)
            self.assertTrue(any(word in reason for word in why), reason)
        self.assertIn("Delegate=yes", done.stdout)

    UNMOUNTED = ("unshare", "--mount", "sh", "-c", 'umount -R /sys/fs/cgroup && exec "$@"', "sh")

    @unittest.skipUnless(IS_ROOT, "needs root to unmount")
    def test_without_the_file_system_it_says_so(self) -> None:
        self.assert_off(check(*self.UNMOUNTED), "no cgroup2 file system is mounted",
                        "version 1 only")

    @unittest.skipUnless(IS_ROOT, "needs root to become another user")
    def test_a_group_of_somebody_else_is_left_alone(self) -> None:
        self.assert_off(check(*ORDINARY), "Permission denied", "does not offer",
                        "no cgroup2 file system", "version 1 only")

    @unittest.skipUnless(IS_ROOT, "needs root to unmount")
    def test_required_and_missing_ends_the_worker(self) -> None:
        done = check(*self.UNMOUNTED, required="memory-cgroup,pids-cgroup")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("REQUIRE_ISOLATION is not met", done.stderr)
        self.assertRegex(done.stderr, r"(memory|pids)-cgroup \(")


@unittest.skipUnless(IS_ROOT, "needs root to delegate a group")
class Delegated(unittest.TestCase):
    def group(self, *controllers: str) -> Group:
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(delegated(*controllers))

    def assert_on(self, done: subprocess.CompletedProcess[str]) -> None:
        self.assertEqual(done.returncode, 0, done.stderr)
        for state, why in layers(done).values():
            self.assertEqual(state, "on", why)

    def test_both_are_on_and_nothing_is_left(self) -> None:
        group = self.group("memory", "pids")
        self.assert_on(check(*group.enter(), required="memory-cgroup,pids-cgroup"))
        self.assertEqual(group.children(), [])
        self.assertEqual(group.read("cgroup.subtree_control"), "")

    def test_a_program_run_by_hand_has_them_where_they_are_required(self) -> None:
        group = self.group("memory", "pids")
        for required, expected in (("memory-cgroup,pids-cgroup", 0), ("", 0)):
            done = subprocess.run([*group.enter(), str(BUILD / "retort-run"), "--image", str(IMAGE),
                                   "-c", "print(1)"], capture_output=True, text=True, timeout=100,
                                  check=False, env={"PATH": os.environ["PATH"],
                                                    "REQUIRE_ISOLATION": required})
            self.assertEqual((done.returncode, done.stdout), (expected, "1\n"), done.stderr)
            self.assertEqual(group.children(), [])

    def test_an_ordinary_user_has_them_too(self) -> None:
        group = self.group("memory", "pids")
        group.give_to(ORDINARY_UID)
        self.assert_on(check(*group.enter(), *ORDINARY))
        self.assertEqual(group.children(), [])

    def test_an_ordinary_user_needs_the_group_to_be_his(self) -> None:
        group = self.group("pids")
        found = layers(check(*group.enter(), *ORDINARY))
        self.assertEqual(found["pids"][0], "off")
        self.assertIn("Permission denied", found["pids"][1])

    def test_one_controller_does_not_wait_for_the_other(self) -> None:
        for one, other in (("pids", "memory"), ("memory", "pids")):
            with self.subTest(one):
                found = layers(check(*self.group(one).enter()))
                self.assertEqual(found[one][0], "on", found)
                self.assertEqual(found[other][0], "off", found)
                self.assertIn(f'does not offer "{other}" (only: {one})', found[other][1])

    def test_a_group_that_is_shared_is_left_as_it_is(self) -> None:
        group = self.group("pids")
        other = subprocess.Popen([*group.enter(), "sleep", "100"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        wait_until(lambda: str(other.pid) in group.read("cgroup.procs").split(), "the other one")
        found = layers(check(*group.enter()))
        self.assertEqual(found["pids"][0], "off")
        self.assertIn("other processes are in", found["pids"][1])
        self.assertEqual(group.children(), [])
        self.assertEqual(group.read("cgroup.subtree_control"), "")

    def test_a_mount_that_is_read_only_is_named(self) -> None:
        """As in a container, unless it is told otherwise."""
        group = self.group("pids")
        remount = f'mount -o remount,bind,ro {mount_point()} && exec "$@"'
        found = layers(check(*group.enter(), "unshare", "--mount", "sh", "-c", remount, "sh"))
        self.assertEqual(found["pids"][0], "off")
        self.assertIn("Read-only file system", found["pids"][1])

    def test_a_namespace_of_ones_own_is_no_obstacle(self) -> None:
        """As in a container with its part of the tree, writable."""
        group = self.group("pids")
        inside = ["unshare", "--mount", "--cgroup", "sh", "-c",
                  f'umount {mount_point()} && mount -t cgroup2 none {mount_point()} && exec "$@"', "sh"]
        self.assertEqual(layers(check(*group.enter(), *inside))["pids"][0], "on")


class CgroupService(Service):
    def __init__(self, group: Group, settings: dict[str, str]) -> None:
        super().__init__(settings)
        self.group = group

    def start_worker(self, name="worker", extra=None):  # type: ignore[no-untyped-def]
        return self.start_part(name, [*self.group.enter(), str(WORKER)], extra)

    def zygote_group(self) -> Group:
        zygote = self.zygote()
        assert zygote is not None
        return Group(self.group.path / group_of(zygote.pid).rsplit("/", 1)[1])


@unittest.skipUnless(IS_ROOT, "needs root to delegate a group")
class Serving(unittest.TestCase):
    """A worker that has a group of its own, and what becomes of its jobs there."""

    def serve(self, *controllers: str, **settings: str) -> CgroupService:
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        group = stack.enter_context(delegated(*controllers))
        service = CgroupService(group, {"SLOTS": "2", **settings})
        self.addCleanup(lambda: self.assertEqual(service.close(), []))
        service.start()
        return service

    def test_zygote_and_jobs_are_in_a_group_and_the_worker_is_not(self) -> None:
        service = self.serve("pids")
        zygote = service.zygote()
        assert zygote is not None
        own = group_of(zygote.pid)
        self.assertRegex(own, r"/retort-zygote-\d+-1$")
        wait_until(lambda: len(service.jobs()) == 4, "processes that wait")
        self.assertEqual({group_of(job.pid) for job in service.jobs()}, {own})
        self.assertTrue(group_of(service.parts["worker"].pid).endswith(f"/own/{LEAF}"))
        # Itself, two that run, two that wait, one while another zygote takes over.
        self.assertEqual(service.zygote_group().read("pids.max"), "6")

    def test_no_job_is_refused_a_process_by_its_own_limit(self) -> None:
        service = self.serve("pids")
        for _ in range(30):
            self.assertEqual(service.execute("print(1)").stdout, "1\n")
        self.assertEqual(service.zygote_group().read("pids.events"), "max 0")

    def test_the_group_goes_with_its_zygote(self) -> None:
        service = self.serve("pids", ZYGOTE_MAX_JOBS="1")
        first = group_of(service.zygote().pid)  # type: ignore[union-attr]
        name = first.rsplit("/", 1)[1]
        service.execute("print(1)")
        wait_until(lambda: name not in service.group.children(), "its end")
        self.assertEqual(service.execute("print(1)").stdout, "1\n")
        self.assertEqual(service.close(), [])
        self.assertEqual(service.group.children(), [])

    def test_what_a_killed_worker_leaves_is_removed_by_the_next(self) -> None:
        service = self.serve("pids")
        part = service.parts["worker"]
        old = service.zygote_group()
        left = {part.pid, *(p.pid for p in processes().values() if p.parent == part.pid)}
        service.expected_deaths.add("worker")
        part.process.send_signal(signal.SIGKILL)
        part.process.wait()
        wait_until(lambda: not old.read("cgroup.procs"), f"the end of {left}")
        self.assertIn(old.path.name, service.group.children())
        # A group that somebody holds is in use, whatever its name says.
        held = service.group.path / "retort-zygote-1-1"
        held.mkdir()
        other = subprocess.Popen(["flock", str(held), "sleep", "100"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        wait_until(lambda: subprocess.run(["flock", "-n", str(held), "true"],
                                          check=False).returncode != 0, "the lock")
        # A group that has children with limits takes no process: it comes back in the one below.
        beside = Group(service.group.path / LEAF)
        service.start_part("again", [*beside.enter(), str(WORKER)])
        looked = wait_until(lambda: [line for line in service.log_lines("again")
                                     if line["event"] == "isolation"], "a job process", 60)
        self.assertNotIn("pids-cgroup", looked[0]["missing"] or "")
        self.assertNotIn(old.path.name, service.group.children())
        self.assertIn(held.name, service.group.children())

    def test_the_limit_on_processes_holds(self) -> None:
        service = self.serve("pids")
        group = service.zygote_group()
        wait_until(lambda: len(service.jobs()) == 4, "processes that wait")
        (group.path / "pids.max").write_text("5")
        self.assertEqual(service.execute("print(1)").stdout, "1\n")
        wait_until(lambda: len(service.jobs()) == 4, "processes that wait")
        (group.path / "pids.max").write_text("1")
        service.execute("print(1)")
        wait_until(lambda: group.read("pids.events") != "max 0", "a refusal")
        (group.path / "pids.max").write_text("6")
        wait_until(lambda: len(service.jobs()) == 4, "processes that wait")
        self.assertEqual(service.execute("print(1)").stdout, "1\n")

    def test_its_memory_is_bounded_by_the_sum_of_the_jobs(self) -> None:
        service = self.serve("memory", MEMORY_LIMIT_MB="100", MAX_WORK_BYTES=str(10 << 20))
        group = service.zygote_group()
        most = int(group.read("memory.max"))
        self.assertGreater(most, 2 * 110 << 20)
        self.assertLess(most, 2 << 30)
        # What both slots may take fits.
        self.assertEqual(service.execute("x = bytearray(60 << 20); print(len(x) >> 20)").stdout,
                         "60\n")
        self.assertIn("oom_kill 0", group.read("memory.events"))
        if (group.path / "memory.swap.max").exists():
            self.assertEqual(group.read("memory.swap.max"), "0")

    def test_a_job_that_the_kernel_kills_for_memory_is_told_so_and_the_zygote_lives(self) -> None:
        service = self.serve("memory", MEMORY_LIMIT_MB="300", CPU_TIME_LIMIT_SEC="30",
                             MAX_EXEC_TIMEOUT_MS="30000")
        group = service.zygote_group()
        zygote = service.zygote().pid  # type: ignore[union-attr]
        # As if the job had got around its own limits: less is left for all than one may have.
        now = int(group.read("memory.current"))
        (group.path / "memory.max").write_text(str(now + (60 << 20)))
        for _ in range(3):
            response = service.post({"code": HOG})
            self.assertEqual(response.status, 500, response.body)
            self.assertEqual(response.json["error"]["code"], "sandbox_error")
            self.assertIn("had no memory left", response.body.decode())
            self.assertEqual(service.execute("print(1)").stdout, "1\n")
        self.assertEqual(service.zygote().pid, zygote)  # type: ignore[union-attr]
        self.assertIn("oom_kill 3", group.read("memory.events"))
        # A kill of another kind is no such thing afterwards.
        self.assertEqual(service.post({"code": "while True: pass", "timeout_ms": 300}).json["verdict"],
                         "timed_out")


if __name__ == "__main__":
    unittest.main()
