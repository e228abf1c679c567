"""deploy/systemd by systemd's own tools: units that it takes, how exposed they leave the programs,
and a filter that lets through what common/daemon_calls.def and the sandbox's tables list."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from manifests import PROGRAMS, ROOT, SYSTEMD, Unit

# Of 100, by `systemd-analyze security`; docs/OPERATIONS.md has them.
EXPOSURE = {"api": 12, "worker": 28}


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"], "SYSTEMD_COLORS": "0"}, check=False)


def groups() -> dict[str, set[str]]:
    """systemd's groups of system calls, by name; groups within groups are not yet resolved."""
    found: dict[str, set[str]] = {}
    name = ""
    for line in analyze("syscall-filter").stdout.splitlines():
        if line.startswith("@"):
            name = line.strip()
            found[name] = set()
        elif name and line.strip() and not line.strip().startswith("#"):
            found[name].add(line.strip())
    return found


class Filter:
    """The calls that a unit's SystemCallFilter leaves."""

    def __init__(self, unit: Unit) -> None:
        self.groups = groups()
        self.allowed = self.calls("@default")
        for line in unit["Service"]["SystemCallFilter"]:
            named = {call for word in line.lstrip("~").split() for call in self.calls(word)}
            self.allowed = self.allowed - named if line.startswith("~") else self.allowed | named

    def calls(self, word: str) -> set[str]:
        if not word.startswith("@"):
            return {word}
        return {call for inner in self.groups[word] for call in self.calls(inner)}


def daemon_calls(program: str) -> set[str]:
    rows = re.findall(r"^DAEMON_CALL(?:_IF)?\(([A-Z |]+), (\w+),",
                      (ROOT / "common/daemon_calls.def").read_text("utf-8"), re.MULTILINE)
    return {name for programs, name in rows if program.upper() in programs.split(" | ")}


@unittest.skipUnless(shutil.which("systemd-analyze"), "this machine cannot: it has no systemd-analyze")
class Units(unittest.TestCase):
    directory: pathlib.Path

    @classmethod
    def setUpClass(cls) -> None:
        """Installed as `make install-systemd` does, with the programs where the units look."""
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="retort-units-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        prefix = cls.directory / "usr/local"
        environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        subprocess.run(["make", "-s", "-C", str(ROOT), "install-systemd", f"PREFIX={prefix}",
                        f"SYSTEMD_DIR={cls.directory}/units", f"CONFIG_DIR={cls.directory}/etc"],
                       check=True, timeout=120, env=environment, stdout=subprocess.DEVNULL)
        (prefix / "bin").mkdir()
        for program in PROGRAMS:
            (prefix / f"bin/retort-{program}").symlink_to("/bin/true")

    def test_systemd_finds_nothing_wrong_with_them(self) -> None:
        units = sorted(map(str, (self.directory / "units").glob("retort-*")))
        self.assertEqual(len(units), 3)
        done = analyze("verify", "--man=no", *units)
        ours = [line for line in done.stderr.splitlines() if "retort" in line]
        self.assertEqual((done.returncode, ours), (0, []), done.stderr)

    def test_they_leave_the_programs_no_more_exposed_than_documented(self) -> None:
        for program in PROGRAMS:
            done = analyze("security", "--offline=yes", f"--threshold={EXPOSURE[program]}",
                           "--no-pager", f"{self.directory}/units/retort-{program}.service")
            self.assertEqual(done.returncode, 0, done.stdout[-300:] + done.stderr)

    def test_the_filter_has_the_calls_of_the_workers_tables(self) -> None:
        """deploy/seccomp.json is printed of all of them."""
        profile = json.loads((ROOT / "deploy/seccomp.json").read_text("utf-8"))
        wanted = {name for row in profile["syscalls"] for name in row["names"]}
        allowed = Filter(Unit(SYSTEMD / "retort-worker.service")).allowed
        self.assertGreater(len(wanted), 150)
        self.assertEqual(wanted - allowed, set())
        self.assertFalse({"ptrace", "bpf", "kexec_load", "keyctl", "reboot"} & allowed)

    def test_the_filter_has_the_calls_of_the_api(self) -> None:
        wanted = daemon_calls("api") | daemon_calls("parent")
        self.assertIn("clone", wanted)
        allowed = Filter(Unit(SYSTEMD / "retort-api.service")).allowed
        self.assertGreater(len(wanted), 50)
        self.assertEqual(wanted - allowed, set())
        self.assertFalse({"ptrace", "mount", "setuid", "keyctl", "chown"} & allowed)

    def test_settings_that_are_there_are_left_alone(self) -> None:
        path = self.directory / "etc/api.env"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        path.write_text("PORT=1\n")
        environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        subprocess.run(["make", "-s", "-C", str(ROOT), "install-systemd",
                        f"PREFIX={self.directory}/usr/local", f"CONFIG_DIR={self.directory}/etc",
                        f"SYSTEMD_DIR={self.directory}/units"], check=True, timeout=120,
                       env=environment, stdout=subprocess.DEVNULL)
        self.assertEqual(path.read_text(), "PORT=1\n")


if __name__ == "__main__":
    unittest.main()
