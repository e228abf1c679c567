"""Runs the suites of `make test` one after the other and adds up what they print.

    suites.py NAME=COMMAND...

Each suite ends with a line "N passed, N failed, N skipped" (anything may stand before it in the
line). One that prints none, or ends with a status that its counts do not explain, is one failure.
"""

from __future__ import annotations

import re
import subprocess
import sys

COUNTS = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")


def run_suite(name: str, command: str) -> tuple[int, int, int]:
    print(f"== {name}", flush=True)
    process = subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    counts = None
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        found = COUNTS.search(line)
        counts = found if found else counts
    status = process.wait()
    passed, failed, skipped = map(int, counts.groups()) if counts else (0, 0, 0)
    if (status != 0 and failed == 0) or counts is None:
        print(f"{name}: ended with status {status} and {'no' if counts is None else 'other'} counts")
        failed += 1
    return passed, failed, skipped


def main() -> int:
    totals = [0, 0, 0]
    failing = []
    for argument in sys.argv[1:]:
        name, command = argument.split("=", 1)
        counts = run_suite(name, command)
        totals = [total + count for total, count in zip(totals, counts)]
        if counts[1]:
            failing.append(name)
    if failing:
        print(f"Failing: {', '.join(failing)}")
    print(f"{totals[0]} passed, {totals[1]} failed, {totals[2]} skipped", flush=True)
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
