"""The hostile corpus as root and as an ordinary user, one after the other; adds up the counts.

    as_users.py [--rounds N] [--match WORD] USER:WAYS...      such as root:run,http nobody:run

The ordinary user gets a copy of what was built, since he may not be able to read a checkout in
somebody's home. Who is not root runs everything as himself; what root would have run counts as
skipped.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("RETORT_BUILD") or ROOT / "build/release").resolve()
COUNTS = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")
PROGRAMS = ("retort-api", "retort-worker", "retort-run")


def image_of(build: pathlib.Path) -> pathlib.Path:
    own = build / "image/python"
    return own if own.exists() else ROOT / "build/image/python"


def stage(directory: pathlib.Path) -> None:
    """A tree like the repository's, of what the corpus needs, that everybody can read."""
    build = directory / "build/release"
    build.mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copy(BUILD / name, build / name)
    shutil.copytree(image_of(BUILD), directory / "build/image/python")
    for name in ("deploy", "tests/support", "tests/hostile"):
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def run(command: list[str], environment: dict[str, str]) -> tuple[int, int, int]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    counts = None
    assert process.stdout is not None
    for line in process.stdout:
        counts = COUNTS.search(line) or counts
        if not line.startswith("hostile: "):
            print(line, end="", flush=True)
    status = process.wait()
    passed, failed, skipped = map(int, counts.groups()) if counts else (0, 0, 0)
    if status != 0 and failed == 0:
        print(f"  FAIL  ended with status {status}")
        failed = 1
    return passed, failed, skipped


def run_as(user: str, arguments: list[str]) -> tuple[int, int, int]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if user == pwd.getpwuid(os.geteuid()).pw_name:
        return run([sys.executable, str(HERE / "run.py"), *arguments], environment)
    entry = pwd.getpwnam(user)
    with tempfile.TemporaryDirectory(prefix="retort-stage-") as name:
        stage(pathlib.Path(name))
        environment.pop("RETORT_BUILD", None)
        environment["HOME"] = "/nonexistent"
        return run(["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}",
                    "--clear-groups", "--no-new-privs", sys.executable,
                    f"{name}/tests/hostile/run.py", *arguments], environment)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", default="1")
    parser.add_argument("--match", default="")
    parser.add_argument("runs", nargs="+", metavar="USER:WAYS")
    arguments = parser.parse_args()
    myself = pwd.getpwuid(os.geteuid()).pw_name
    totals = [0, 0, 0]
    for entry in arguments.runs:
        user, ways = entry.split(":")
        if os.geteuid() != 0:
            if user == "root":
                print(f"  skip  as root: this is {myself}")
                totals[2] += 1
                continue
            user = myself
        print(f"as {user}:", flush=True)
        counts = run_as(user, ["--ways", ways, "--rounds", arguments.rounds,
                               "--match", arguments.match])
        totals = [total + count for total, count in zip(totals, counts)]
    print(f"hostile: {totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
    return 1 if totals[1] or (totals[2] and os.environ.get("SKIP_IS_FAIL") == "1") else 0


if __name__ == "__main__":
    sys.exit(main())
