"""What somebody who is out of the wasm would try first. Each of these dies of its first call.

That every number outside of the table kills is test_calls.py's; here the calls have arguments with
which they would do harm.
"""

from __future__ import annotations

from escape import EscapeTest, Outcome, call

AT_FDCWD = -100
O_RDWR, O_CREAT, O_PATH, O_TMPFILE = 2, 0o100, 0o10000000, 0o20200000
RW, RX, RWX = 3, 5, 7
PRIVATE, ANONYMOUS = 2, 32


def named(*scripts: tuple[str, str]) -> list[tuple[str, str]]:
    return list(scripts)


FILES = named(
    *((f"open {path}", call("openat", AT_FDCWD, f'"{path}"', 0))
      for path in ("/etc/passwd", "/", ".", "/proc/self/mem", "/proc/self/exe", "/proc/1/environ",
                   "/proc/self/fd/0", "/sys/fs/cgroup", "/dev/mem", "/dev/null", "/dev/kvm",
                   "/run/retort/redis.sock", "/tmp")),
    ("open", call("open", '"/etc/passwd"', O_RDWR)),
    ("creat", call("creat", '"/tmp/x"', 0o777)),
    ("openat2", "b = buffer 64\n" + call("openat2", AT_FDCWD, '"/etc/passwd"', "b", 24)),
    ("tmpfile", call("openat", AT_FDCWD, '"/tmp"', O_TMPFILE | O_RDWR, 0o600)),
    ("path only", call("openat", AT_FDCWD, '"/"', O_PATH)),
    ("name_to_handle_at", call("name_to_handle_at", AT_FDCWD, '"/"', 0, 0, 0)),
    ("open_by_handle_at", call("open_by_handle_at", 0, 0, 0)),
    ("memfd_create", call("memfd_create", '"x"', 0)),
    ("memfd_secret", call("memfd_secret", 0)),
    ("io_uring", "b = buffer 128\n" + call("io_uring_setup", 8, "b")),
    ("fsopen", call("fsopen", '"proc"', 0)),
    ("open_tree", call("open_tree", AT_FDCWD, '"/"', 1)),
    ("move_mount", call("move_mount", AT_FDCWD, '"/"', AT_FDCWD, '"/tmp"', 0)),
    ("userfaultfd", call("userfaultfd", 1)),
    ("inotify", call("inotify_init1", 0)),
    ("fanotify", call("fanotify_init", 0, 0)),
    ("perf", "b = buffer 128\n" + call("perf_event_open", "b", 0, -1, -1, 0)),
    ("bpf", call("bpf", 0, 0, 0)),
    ("stat", "b = buffer 256\n" + call("stat", '"/etc/passwd"', "b")),
    ("access", call("access", '"/etc/passwd"', 0)),
    ("readlink", "b = buffer 256\n" + call("readlink", '"/proc/self/exe"', "b", 256)),
    ("getdents of descriptor 0", "b = buffer 4096\n" + call("getdents64", 0, "b", 4096)),
    ("getcwd", "b = buffer 4096\n" + call("getcwd", "b", 4096)),
    ("chdir", call("chdir", '"/proc"')),
    ("chroot", call("chroot", '"/"')),
    ("pivot_root", call("pivot_root", '"/"', '"/"')),
    ("mount", call("mount", '"proc"', '"/tmp"', '"proc"', 0, 0)),
    ("umount", call("umount2", '"/proc"', 2)),
    ("mkdir", call("mkdir", '"/tmp/x"', 0o777)),
    ("unlink", call("unlink", '"/tmp/x"')),
    ("rename", call("rename", '"/tmp/x"', '"/tmp/y"')),
    ("symlink", call("symlink", '"/"', '"/tmp/x"')),
    ("link", call("link", '"/etc/passwd"', '"/tmp/x"')),
    ("mknod", call("mknod", '"/tmp/x"', 0o20666, 0x103)),
    ("chmod", call("chmod", '"/tmp"', 0o777)),
    ("setxattr", call("setxattr", '"/tmp"', '"user.x"', '"y"', 1, 0)),
    ("sync", call("sync")),
    ("swapon", call("swapon", '"/dev/sda"', 0)),
    ("acct", call("acct", '"/tmp/x"')),
)

# Descriptor 0 is the job's socket. Nothing but reading it is allowed.
DESCRIPTORS = named(
    ("write", call("write", 0, '"g"', 1)),
    ("writev", "b = buffer 16\n" + call("writev", 0, "b", 1)),
    ("pwrite64", call("pwrite64", 0, '"g"', 1, 0)),
    ("sendto", call("sendto", 0, '"g"', 1, 0, 0, 0)),
    ("sendmsg", "b = buffer 64\n" + call("sendmsg", 0, "b", 0)),
    ("recvmsg", "b = buffer 64\n" + call("recvmsg", 0, "b", 0)),
    ("recvfrom", "b = buffer 64\n" + call("recvfrom", 0, "b", 64, 0, 0, 0)),
    ("shutdown", call("shutdown", 0, 2)),
    ("close", call("close", 0)),
    ("close_range", call("close_range", 0, -1, 0)),
    ("dup", call("dup", 0)),
    ("dup2", call("dup2", 0, 3)),
    ("fcntl F_SETFL", call("fcntl", 0, 4, 0o4000)),
    ("fcntl F_SETOWN", call("fcntl", 0, 8, 1)),
    ("ioctl FIONREAD", "b = buffer 8\n" + call("ioctl", 0, 0x541b, "b")),
    ("ioctl TIOCSTI", call("ioctl", 0, 0x5412, '"x"')),
    ("getsockopt SO_PEERCRED", "b = buffer 64\n" + call("getsockopt", 0, 1, 17, "b", "b")),
    ("setsockopt", "b = buffer 64\n" + call("setsockopt", 0, 1, 7, "b", 4)),
    ("getpeername", "b = buffer 64\n" + call("getpeername", 0, "b", "b")),
    ("readv", "b = buffer 64\n" + call("readv", 0, "b", 1)),
    ("pread64", "b = buffer 64\n" + call("pread64", 0, "b", 1, 0)),
    ("splice", call("splice", 0, 0, 0, 0, 4096, 0)),
    ("tee", call("tee", 0, 0, 4096, 0)),
    ("vmsplice", call("vmsplice", 0, 0, 0, 0)),
    ("sendfile", call("sendfile", 0, 0, 0, 4096)),
    ("fstat", "b = buffer 256\n" + call("fstat", 0, "b")),
    ("ftruncate", call("ftruncate", 0, 1 << 30)),
    ("fallocate", call("fallocate", 0, 0, 0, 1 << 30)),
    ("pidfd_getfd", call("pidfd_getfd", 0, 0, 0)),
    ("epoll", call("epoll_create1", 0)),
    ("eventfd", call("eventfd2", 0, 0)),
    ("pipe", "b = buffer 8\n" + call("pipe2", "b", 0)),
    ("poll", "b = buffer 8\n" + call("poll", "b", 1, 0)),
    ("select", call("select", 0, 0, 0, 0, 0)),
    *((f"read {number}", "b = buffer 64\n" + call("read", number, "b", 64))
      for number in (*range(1, 33), 64, 255, 1023, 1024, 65535, 0x7fffffff, -1)),
)

NETWORK = named(
    *((f"socket {family}", call("socket", family, kind, 0))
      for family, kind in ((1, 1), (2, 1), (2, 2), (2, 3), (10, 1), (16, 3), (17, 3), (38, 5),
                           (40, 1), (44, 2))),
    ("socketpair", "b = buffer 8\n" + call("socketpair", 1, 1, 0, "b")),
    ("connect", "b = buffer 16\n" + call("connect", 0, "b", 16)),
    ("bind", "b = buffer 16\n" + call("bind", 0, "b", 16)),
    ("listen", call("listen", 0, 1)),
    ("accept", call("accept", 0, 0, 0)),
)

CLONE_VM, CLONE_THREAD, SIGCHLD, CLONE_NEWUSER = 0x100, 0x50f00, 17, 0x10000000
PROCESSES = named(
    ("fork", call("fork")),
    ("vfork", call("vfork")),
    ("clone", call("clone", SIGCHLD, 0, 0, 0, 0)),
    ("clone a thread", "b = buffer 8192\n" + call("clone", CLONE_VM | CLONE_THREAD, "b", 0, 0, 0)),
    ("clone into a user namespace", call("clone", CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)),
    ("clone3", "b = buffer 128\n" + call("clone3", "b", 88)),
    ("unshare", call("unshare", CLONE_NEWUSER)),
    ("setns", call("setns", 0, 0)),
    ("execve", call("execve", '"/bin/sh"', 0, 0)),
    ("execveat", call("execveat", 0, '""', 0, 0, 0x1000)),
    ("uselib", call("uselib", '"/lib/x"')),
    ("wait4", call("wait4", -1, 0, 0, 0)),
    ("waitid", call("waitid", 0, 0, 0, 0, 0)),
    ("setsid", call("setsid")),
    ("setpgid", call("setpgid", 0, 0)),
    ("getpid", call("getpid")),
    ("getppid", call("getppid")),
    ("gettid", call("gettid")),
    ("getuid", call("getuid")),
    ("uname", "b = buffer 512\n" + call("uname", "b")),
    ("sysinfo", "b = buffer 512\n" + call("sysinfo", "b")),
    ("times", "b = buffer 64\n" + call("times", "b")),
    ("getrusage", "b = buffer 256\n" + call("getrusage", 0, "b")),
    ("syslog", "b = buffer 256\n" + call("syslog", 3, "b", 256)),
)

PR_SET = {"PDEATHSIG": 1, "DUMPABLE": 4, "KEEPCAPS": 8, "NAME": 15, "SECCOMP": 22, "TSC": 26,
          "SECUREBITS": 28, "TIMERSLACK": 29, "MM": 35, "CHILD_SUBREAPER": 36,
          "NO_NEW_PRIVS": 38, "THP_DISABLE": 41, "CAP_AMBIENT": 47, "SPECULATION": 53,
          "SYSCALL_USER_DISPATCH": 59, "PTRACER": 0x59616d61, "MDWE": 65, "VMA": 0x53564d41}
RIGHTS = named(
    *((f"prctl {name}", call("prctl", number, 0, 0, 0, 0)) for name, number in PR_SET.items()),
    *((f"arch_prctl {code:#x}", call("arch_prctl", code, 0))
      for code in (0x1001, 0x1002, 0x1012, 0x3001, 0x5001)),
    ("setuid", call("setuid", 0)), ("setresuid", call("setresuid", 0, 0, 0)),
    ("setgid", call("setgid", 0)), ("setgroups", call("setgroups", 0, 0)),
    ("capset", "b = buffer 64\n" + call("capset", "b", "b")),
    ("personality READ_IMPLIES_EXEC", call("personality", 0x0400000)),
    ("personality ADDR_NO_RANDOMIZE", call("personality", 0x0040000)),
    ("a filter of its own", "b = buffer 16\n" + call("seccomp", 1, 0, "b")),
    ("strict mode", call("seccomp", 0, 0, 0)),
    ("a filter by prctl", "b = buffer 16\n" + call("prctl", 22, 2, "b")),
    ("landlock", call("landlock_create_ruleset", 0, 0, 1)),
    ("ioperm", call("ioperm", 0x80, 1, 1)), ("iopl", call("iopl", 3)),
    ("modify_ldt", "b = buffer 64\n" + call("modify_ldt", 1, "b", 16)),
    ("set_thread_area", call("set_thread_area", 0)),
    ("kexec_load", call("kexec_load", 0, 0, 0, 0)), ("reboot", call("reboot", 0xfee1dead, 0, 0)),
    ("init_module", call("init_module", 0, 0, '""')), ("sethostname", call("sethostname", '"x"', 1)),
    ("settimeofday", call("settimeofday", 0, 0)), ("clock_settime", call("clock_settime", 0, 0)),
    ("adjtimex", "b = buffer 512\n" + call("adjtimex", "b")),
    ("keyctl", call("keyctl", 0, -3, 0)), ("add_key", call("add_key", '"user"', '"x"', '"y"', 1, -3)),
    ("quotactl", call("quotactl", 0, 0, 0, 0)), ("sched_setaffinity", call("sched_setaffinity", 0, 0, 0)),
    ("sched_setscheduler", call("sched_setscheduler", 0, 1, 0)), ("nice", call("setpriority", 0, 0, -20)),
    ("ioprio_set", call("ioprio_set", 1, 0, 0)),
)

# RLIMIT_ numbers with which the row of prlimit64 has nothing to do.
LIMITS = named(
    *((f"prlimit64 {resource}", "b = buffer 16\n" + call("prlimit64", 0, resource, "b", 0))
      for resource in (1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 0xffffffff)),
    *((f"prlimit64 of {pid}", "b = buffer 16\n" + call("prlimit64", pid, 0, "b", 0))
      for pid in (1, 2, 3, -1, 0xffffffff)),
    ("prlimit64 to read", "b = buffer 16\n" + call("prlimit64", 0, 0, 0, "b")),
    ("setrlimit", "b = buffer 16\n" + call("setrlimit", 0, "b")),
    ("getrlimit", "b = buffer 16\n" + call("getrlimit", 0, "b")),
)

TIMERS_AND_SIGNALS = named(
    ("alarm", call("alarm", 1)),
    *((f"setitimer {which}", "b = buffer 32\n" + call("setitimer", which, "b", 0))
      for which in range(3)),
    ("timer_create", "b = buffer 8\n" + call("timer_create", 0, 0, "b")),
    ("timer_delete", call("timer_delete", 0)),
    ("timer_gettime", "b = buffer 32\n" + call("timer_gettime", 0, "b")),
    ("timerfd", call("timerfd_create", 0, 0)),
    *((f"sigaction {number}", "b = buffer 32\n" + call("rt_sigaction", number, "b", 0, 8))
      for number in range(1, 65)),
    ("sigaltstack", "b = buffer 8192\n" + call("sigaltstack", "b", 0)),
    ("sigsuspend", "b = buffer 8\n" + call("rt_sigsuspend", "b", 8)),
    ("sigtimedwait", "b = buffer 8\n" + call("rt_sigtimedwait", "b", 0, 0, 8)),
    ("signalfd", "b = buffer 8\n" + call("signalfd4", -1, "b", 8, 0)),
    ("pause", call("pause")),
    ("restart_syscall", call("restart_syscall")),
    ("membarrier", call("membarrier", 0, 0, 0)), ("rseq", "b = buffer 32\n" + call("rseq", "b", 32, 1, 0)),
    ("futex", "b = buffer 8\n" + call("futex", "b", 1, 1, 0, 0, 0)),
    ("set_robust_list", call("set_robust_list", 0, 24)),
)

SHARING = named(
    ("shmget", call("shmget", 0, 4096, 0o1600)), ("shmat", call("shmat", 0, 0, 0)),
    ("msgget", call("msgget", 0, 0o1600)), ("semget", call("semget", 0, 1, 0o1600)),
    ("mq_open", call("mq_open", '"/x"', 0o102, 0o600, 0)),
)


class First(EscapeTest):
    def test_files(self) -> None:
        self.assert_all_refused(FILES)

    def test_descriptors(self) -> None:
        self.assert_all_refused(DESCRIPTORS)

    def test_network(self) -> None:
        self.assert_all_refused(NETWORK)

    def test_processes(self) -> None:
        self.assert_all_refused(PROCESSES)

    def test_rights(self) -> None:
        self.assert_all_refused(RIGHTS)

    def test_limits(self) -> None:
        self.assert_all_refused(LIMITS)

    def test_timers_and_signals(self) -> None:
        self.assert_all_refused(TIMERS_AND_SIGNALS)

    def test_memory_shared_between_processes(self) -> None:
        self.assert_all_refused(SHARING)


class Others(EscapeTest):
    """Processes beside this one: none can be reached, whatever their number is."""

    def victims(self) -> list[int]:
        zygote = self.service.zygote()
        assert zygote is not None
        siblings = [job.pid for job in self.service.jobs()]
        self.assertTrue(siblings)
        return [0, 1, 2, 3, -1, self.service.parts["worker"].pid, zygote.pid, *siblings]

    def test_signals(self) -> None:
        scripts = [(f"{name} {pid}", call(name, *arguments))
                   for pid in self.victims()
                   for name, arguments in (
                       ("kill", (pid, 9)), ("kill", (pid, 0)), ("tkill", (pid, 19)),
                       ("tgkill", (pid, pid, 9)), ("rt_sigqueueinfo", (pid, 9, 0)),
                       ("rt_tgsigqueueinfo", (pid, pid, 9, 0)), ("pidfd_open", (pid, 0)),
                       ("pidfd_send_signal", (0, 9, 0, 0)), ("process_mrelease", (0, 0)))]
        self.assert_all_refused(scripts)

    def test_memory(self) -> None:
        scripts = [(f"{name} {pid}", f"b = buffer 4096\n{call(name, *arguments)}")
                   for pid in self.victims()
                   for name, arguments in (
                       ("ptrace", (16, pid, 0, 0)), ("ptrace", (0x4206, pid, 0, 0)),
                       ("process_vm_readv", (pid, "b", 1, "b", 1, 0)),
                       ("process_vm_writev", (pid, "b", 1, "b", 1, 0)),
                       ("kcmp", (pid, pid, 0, 0, 0)), ("move_pages", (pid, 0, 0, 0, 0, 0)),
                       ("migrate_pages", (pid, 0, 0, 0)), ("process_madvise", (0, "b", 1, 4, 0)),
                       ("get_robust_list", (pid, "b", "b")))]
        self.assert_all_refused(scripts)

    def test_limits_and_scheduling(self) -> None:
        scripts = [(f"{name} {pid}", f"b = buffer 128\n{call(name, *arguments)}")
                   for pid in self.victims() if pid != 0
                   for name, arguments in (
                       ("prlimit64", (pid, 7, "b", 0)), ("sched_setaffinity", (pid, 8, "b")),
                       ("sched_setattr", (pid, "b", 0)), ("setpriority", (0, pid, 19)),
                       ("getpgid", (pid,)), ("getsid", (pid,)), ("ioprio_set", (1, pid, 0)))]
        self.assert_all_refused(scripts)

    def cpu_clocks(self, pid: int) -> list[int]:
        """Of the process and of its first thread; user, system or scheduled time."""
        return [(~pid << 3 | thread | which) & 0xffffffff for thread in (0, 4) for which in range(3)]

    def test_the_time_that_others_have_used(self) -> None:
        scripts = [(f"{name} {pid} {clock:#x}", f"b = buffer 16\n{call(name, *arguments)}")
                   for pid in self.victims() if pid > 0
                   for clock in self.cpu_clocks(pid)
                   for name, arguments in (("clock_gettime", (clock, "b")),
                                           ("clock_nanosleep", (clock, 0, "b", 0)))]
        self.assert_all_refused(scripts)

    def test_a_neighbour_notices_nothing(self) -> None:
        """Sleeps, and answers rightly, while others attack it by its number."""
        text = "b = buffer 16\nput b 8 1\ncall 230 1 0 b 0\nsay 42\n"
        outcomes: list[Outcome] = []
        for name, outcome in self.attack_all([("neighbour", text)] + [
                (f"kill {pid}", call("kill", pid, 9)) for pid in self.victims()]):
            if name == "neighbour":
                outcomes.append(outcome)
            else:
                self.assert_refused(outcome, "kill")
        self.assert_results(outcomes[0], 42)
        self.assertGreaterEqual(outcomes[0].body["duration_ms"], 1000)
