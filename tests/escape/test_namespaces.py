"""What namespaces hold by themselves, and what holds without them.

A guest that boots runs in the zygote, before any job and its filter: here it makes its calls then
(ESCAPE_AT_BOOT), so that what refuses them is not the filter of jobs.
"""

from __future__ import annotations

import os
import socket
import subprocess
import unittest

import test_attacks
import test_memory
from boot import RUN, BootTest
from escape import BUILD, Part, Service, call, quiet

AS_ROOT = os.geteuid() == 0
ORDINARY = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"]
ENOENT, ESRCH, ECONNREFUSED, ENETUNREACH, ENETDOWN = -2, -3, -111, -101, -100


def permitted() -> bool:
    prefix = ORDINARY if AS_ROOT else []
    return subprocess.run([*prefix, "unshare", "--user", "--map-root-user", "--mount", "true"],
                          capture_output=True, check=False).returncode == 0


PERMITTED = permitted()


class AtBoot(BootTest):
    """Where the kernel permits all namespaces."""

    def test_it_is_process_1_and_sees_no_other(self) -> None:
        others = [os.getpid(), os.getppid(), *(int(name) for name in os.listdir("/proc")
                                               if name.isdigit() and int(name) > 2)]
        script = call("getpid") + call("getppid")
        self.assertEqual(self.results(script), [1, 0])
        found = self.results("".join(call("kill", pid, 0) for pid in others[:60] if pid != 1))
        self.assertEqual(set(found), {ESRCH})
        self.assertEqual(self.results(call("kill", -1, 9)), [ESRCH])

    def test_there_are_no_files(self) -> None:
        paths = ("/etc/passwd", "/proc/self", "/proc/1/mem", "/sys", "/dev/null", "/dev/mem",
                 "/tmp", "/run", "/usr", "/lib/x86_64-linux-gnu/libc.so.6", "../../etc/passwd",
                 str(BUILD), str(RUN), str(self.directory))
        found = self.results("".join(call("openat", -100, f'"{path}"', 0) for path in paths))
        self.assertEqual(set(found), {ENOENT})

    def test_none_can_be_made(self) -> None:
        made = (call("openat", -100, '"/x"', 0o101, 0o600) + call("mkdir", '"/x"', 0o777) +
                call("mknod", '"/x"', 0o20666, 0x103) + call("symlink", '"/"', '"/x"') +
                call("openat", -100, '"/"', 0o20200002, 0o600) + call("chmod", '"/"', 0o777))
        self.assertTrue(all(result < 0 for result in self.results(made)))

    def test_the_root_is_empty(self) -> None:
        """Two entries of 24 bytes each: itself and what is above it."""
        found = self.results("b = buffer 4096\n" + call("openat", -100, '"/"', 0o200000, name="d") +
                             call("getdents64", "d", "b", 4096))
        self.assertEqual(found[1], 48)

    def test_there_is_no_network(self) -> None:
        """Neither others' ports, nor this machine's, nor sockets by abstract names."""
        for address in (0x0100007f, 0x08080808):  # 127.0.0.1, 8.8.8.8
            with self.subTest(hex(address)):
                found = self.results(
                    "a = buffer 16\nput a 2 2\nput a+2 2 0x5000\n" + f"put a+4 4 {address}\n" +
                    call("socket", 2, 1, 0, name="s") + call("connect", "s", "a", 16))
                self.assertIn(found[1], (ENETUNREACH, ENETDOWN, ECONNREFUSED))
        with socket.socket(socket.AF_UNIX) as listener:
            name = f"retort-{os.getpid()}"
            listener.bind("\0" + name)
            listener.listen()
            letters = "".join(f"put a+{3 + i} 1 {ord(letter)}\n" for i, letter in enumerate(name))
            found = self.results("a = buffer 128\nput a 2 1\n" + letters +
                                 call("socket", 1, 1, 0, name="s") +
                                 call("connect", "s", "a", 3 + len(name)))
            self.assertEqual(found[1], ECONNREFUSED)

    def test_the_machine_has_no_name(self) -> None:
        said, _ = self.run_at_boot("b = buffer 512\n" + quiet("uname", "b") + "print b+65\n")
        self.assertEqual(said, "retort\n")

    def test_no_right_is_left(self) -> None:
        tried = (call("setuid", 0), call("setgid", 0), call("setgroups", 0, 0),
                 call("mount", '"none"', '"/"', '"tmpfs"', 0, 0), call("umount2", '"/"', 2),
                 call("pivot_root", '"."', '"."'), call("chroot", '"/"'),
                 call("sethostname", '"x"', 1), call("unshare", 0x20000), call("unshare", 0x40000000),
                 call("setns", 3, 0), call("settimeofday", 0, "b"), call("reboot", 0xfee1dead, 0, 0),
                 call("swapon", '"/"', 0), call("init_module", "b", 8, '""'), call("iopl", 3),
                 call("ioperm", 0x80, 1, 1), call("kexec_load", 0, 0, 0, 0), call("acct", 0),
                 call("bpf", 0, "b", 48), call("setpriority", 0, 0, -20),
                 call("open_by_handle_at", 3, "b", 0), call("fanotify_init", 0, 0),
                 call("mknod", '"/x"', 0o60666, 0x800), call("socket", 17, 3, 0),
                 call("socket", 2, 3, 1), call("capset", "b", "b"),
                 call("prctl", 23, 21, 0, 0, 0) + call("prctl", 47, 2, 21, 0, 0))
        for lines in tried:
            with self.subTest(lines):
                found = self.results("b = buffer 4096\nput b 8 1\n" + lines)
                # prctl(PR_CAPBSET_READ) answers 0: not even in the bounding set.
                self.assertTrue(all(result < 0 or result == 0 and "157 23" in lines
                                    for result in found), found)


if AS_ROOT:  # or it has been done
    class AtBootOrdinary(AtBoot):
        prefix = ORDINARY

    class AtBootContained(AtBoot):
        """As in a container that has dropped all capabilities, and runs as root."""

        prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]


class WithoutNamespaces(Service):
    """The kernel's own limits forbid them, in a user namespace of the test's."""

    FORBID = ('for kind in user mnt pid net ipc uts cgroup; do '
              'echo 0 >/proc/sys/user/max_${kind}_namespaces || exit 99; done; exec "$@"')

    def start_part(self, name: str, command: list[str],
                   extra: dict[str, str] | None = None) -> Part:
        if name == "worker":
            command = ["unshare", "--user", "--map-root-user", "sh", "-c", self.FORBID, "sh",
                       *command]
        return super().start_part(name, command, extra)


@unittest.skipUnless(PERMITTED, "this machine permits no namespaces to forbid others in")
class FilterAloneFirst(test_attacks.First):
    service_class = WithoutNamespaces

    def test_there_are_none(self) -> None:
        zygote = self.service.zygote()
        assert zygote is not None
        worker = self.service.parts["worker"].pid
        for name in ("pid", "net", "ipc", "uts", "cgroup", "mnt"):
            with self.subTest(name):
                self.assertEqual(os.readlink(f"/proc/{zygote.pid}/ns/{name}"),
                                 os.readlink(f"/proc/{worker}/ns/{name}"))


@unittest.skipUnless(PERMITTED, "this machine permits no namespaces to forbid others in")
class FilterAloneOthers(test_attacks.Others):
    service_class = WithoutNamespaces


@unittest.skipUnless(PERMITTED, "this machine permits no namespaces to forbid others in")
class FilterAloneBounds(test_memory.Bounds):
    service_class = WithoutNamespaces
