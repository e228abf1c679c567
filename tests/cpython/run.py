"""Runs CPython's own test suite through the sandbox, a job for each module.

    run.py [--all | --write DOCUMENT | MODULE...]     default: the modules of fast.list

A method that does not pass must have a reason in reasons.py, and no module may pass fewer than the
table in docs/PYTHON.md says; --write runs all modules and writes that table. What a run found is
kept in build/cpython/results.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import pathlib
import sys
import time

import image
import report
from module_run import Limits, ModuleRun, Native, Sandbox, list_methods, run_module

ROOT = image.ROOT
DOCUMENT = ROOT / "docs" / "PYTHON.md"
LONGEST_MESSAGE = 300


def all_modules(tests: pathlib.Path) -> list[str]:
    return sorted(path.stem for path in (tests / "test").iterdir()
                  if path.name.startswith("test_") and (path.suffix == ".py" or path.is_dir()))


def fast_modules() -> list[str]:
    return (image.HERE / "fast.list").read_text("utf-8").split()


class Suite:
    def __init__(self, options: argparse.Namespace) -> None:
        build = ROOT / "build"
        self.options = options
        self.tests = options.python / "tests"
        self.results = build / "cpython" / "results"
        limits = Limits(seconds=options.seconds)
        where = build / "cpython" / "image"
        image.make(options.image, options.python, where)
        self.sandbox = Sandbox(str(ROOT / options.build / "retort-run"), str(where), limits)
        self.native = Native(str(self.tests), limits)
        self.known = report.known_passes(DOCUMENT.read_text("utf-8"))

    def names(self) -> list[str]:
        if self.options.all or self.options.write:
            return all_modules(self.tests)
        return self.options.modules or fast_modules()

    def run_one(self, name: str) -> tuple[report.Summary, float]:
        began = time.monotonic()
        run = run_module(self.sandbox, name)
        listed = list_methods(self.native, name) if run.module is not None else 0
        self.keep(run)
        return report.summarize(run, listed), time.monotonic() - began

    def keep(self, run: ModuleRun) -> None:
        self.results.mkdir(parents=True, exist_ok=True)
        (self.results / f"{run.name}.json").write_text(json.dumps(run.as_json(), indent=1), "utf-8")

    def faults(self, summary: report.Summary) -> list[str]:
        found = [f"{miss.method or 'the module'}: {miss.outcome.status}: "
                 f"{miss.outcome.message[:LONGEST_MESSAGE]}" for miss in summary.unreviewed()]
        fewer = self.known.get(summary.name, 0) - summary.passed
        if fewer > 0 and not self.options.write:
            found.append(f"{fewer} methods fewer pass than docs/PYTHON.md says")
        return found

    def run(self) -> list[report.Summary]:
        summaries = []
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for summary, seconds in pool.map(self.run_one, self.names()):
                faults = self.faults(summary)
                print(f"  {'FAIL' if faults else 'ok':5} {summary.name} ({summary.passed} passed, "
                      f"{summary.methods - summary.passed} explained, {seconds:.1f} s)", flush=True)
                for fault in faults:
                    print("        " + fault.replace("\n", "\n        "))
                summary.faults = len(faults)
                summaries.append(summary)
        return summaries


def write_document(summaries: list[report.Summary]) -> None:
    before, rest = DOCUMENT.read_text("utf-8").split(report.BEGIN, 1)
    after = rest.split(report.END, 1)[1]
    DOCUMENT.write_text(before + report.BEGIN + report.document(summaries) + report.END + after,
                        "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=300, help="wall clock and CPU of a job")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--image", type=pathlib.Path, default=ROOT / "build/image/python")
    parser.add_argument("--python", type=pathlib.Path, default=ROOT / "build/python")
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()

    summaries = Suite(options).run()
    if options.write:
        write_document(summaries)
    totals = report.add_up(summaries)
    failed = sum(summary.faults for summary in summaries)
    explained = totals.methods - totals.passed - failed
    print(f"cpython: {totals.rate:.2%} of {totals.counted} methods that count; "
          f"{explained} do not pass for a known reason; "
          f"{totals.passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
