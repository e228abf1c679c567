"""Runs one module of CPython's test suite inside the sandbox and reports on each test method.

    driver.py MODULE [PLAN]

MODULE is named as regrtest does (test_json). PLAN is a JSON file: {"done": [id...]} are methods
that an earlier job of the same module has settled and that are not to be run again; {"list": true}
only names the methods.

A report is a line of its own on standard output: RECORD, then JSON. The tests print there too, so
a newline goes before it. What is known is written before the next test starts, so that a job which
is killed or crashes has told all but the one method that ran.
"""
import importlib
import json
import os
import sys
import time
import traceback
import unittest

RECORD = "\x1eretort "
MESSAGE_BYTES = 2000
# As `regrtest -u all` without what has no meaning in a sandbox; tzdata and extralargefile are not
# in "all" either.
RESOURCES = ["cpu", "decimal", "largefile", "subprocess"]

# Nothing in them can do with a stand-in for CPython's C test modules (testcapi.py).
C_API_ONLY = {"test_capi"}

_write = os.write


def report(kind, **facts):
    data = memoryview(f"\n{RECORD}{json.dumps({'kind': kind, **facts})}\n".encode())
    while data:
        data = data[_write(1, data):]


def message_of(error):
    """The exception's own line first, then the end of its traceback."""
    kind, value, trace = error
    summary = "".join(traceback.format_exception_only(kind, value)).strip()
    where = "".join(traceback.format_tb(trace)[-3:])
    return f"{summary[:MESSAGE_BYTES]}\n{where[-MESSAGE_BYTES:]}"


def testing(running):
    """Tells the stand-ins for CPython's C test modules (testcapi.py), where there are any."""
    for name in ("_testcapi", "_testinternalcapi"):
        missing = getattr(sys.modules.get(name), "Missing", None)
        if isinstance(missing, type):
            missing.running = running


class Naming:
    """Names every test; of several with one id, the later ones get a number."""

    def __init__(self):
        self.names = {}
        self.counts = {}

    def add(self, test):
        key = test.id()
        self.counts[key] = number = self.counts.get(key, 0) + 1
        self.names[id(test)] = key if number == 1 else f"{key} #{number}"
        return self.names[id(test)]

    def of(self, test):
        return self.names.get(id(test)) or test.id()


class Result(unittest.TestResult):
    """Reports each method once, when it stops: the worst of what was said about it."""
    RANKS = ["passed", "expected failure", "skipped", "failed", "error"]

    def __init__(self, naming):
        super().__init__()
        self.naming = naming
        self.began = 0.0
        self.current = None
        self.status = self.message = ""

    def startTest(self, test):
        super().startTest(test)
        self.current, self.status, self.message = test, "", ""
        self.began = time.monotonic()
        testing(True)
        report("start", id=self.naming.of(test))

    def stopTest(self, test):
        super().stopTest(test)
        testing(False)
        self.current = None
        report("stop", id=self.naming.of(test), status=self.status or "passed",
               message=self.message, seconds=round(time.monotonic() - self.began, 3))
        # What a failure keeps alive (frames, big objects) is of no more use.
        self.failures.clear()
        self.errors.clear()

    def note(self, test, status, message):
        if self.current is None:  # a fixture of a class or module
            report("fixture", id=test.id(), status=status, message=message)
        elif not self.status or self.RANKS.index(status) > self.RANKS.index(self.status):
            self.status, self.message = status, message

    def addSuccess(self, test):
        self.note(test, "passed", "")

    def addSkip(self, test, reason):
        self.note(test, "skipped", str(reason))

    def addExpectedFailure(self, test, err):
        self.note(test, "expected failure", "")

    def addUnexpectedSuccess(self, test):
        self.note(test, "failed", "unexpected success")

    def addFailure(self, test, err):
        self.note(test, "failed", message_of(err))

    def addError(self, test, err):
        self.note(test, "error", message_of(err))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            failed = issubclass(err[0], test.failureException)
            self.note(test, "failed" if failed else "error",
                      message_of(err) + f"in {subtest._subDescription()}\n")


def flatten(suite):
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from flatten(entry)
        elif entry is not None:
            yield entry


def prune(suite, done, naming):
    """The suite without the tests that are done; its order and nesting stay."""
    kept = []
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            prune(entry, done, naming)
            kept.append(entry)
        elif entry is not None and naming.of(entry) not in done:
            kept.append(entry)
    suite._tests = kept


class Runner:
    def __init__(self, plan):
        self.done = set(plan.get("done", ()))
        self.list = plan.get("list", False)
        self.naming = Naming()

    def run(self, suite):
        report("plan", ids=[self.naming.add(test) for test in flatten(suite)])
        if not self.list:
            prune(suite, self.done, self.naming)
            suite.run(Result(self.naming))


def prepare(support):
    """What regrtest sets up; see test/libregrtest/setup.py."""
    support.use_resources = RESOURCES
    support.verbose = 0
    # The suite leaves out whole modules for what a few of their tests need, and more for the limits
    # of other WASI runtimes. Here all are tried: what really is missing then fails one by one.
    support.is_wasi = False
    support.has_subprocess_support = support.has_socket_support = True
    from test.support import threading_helper
    threading_helper.can_start_thread = True
    from test.support import socket_helper
    socket_helper._bind_nix_socket_error = OSError("no sockets")  # what it would find out
    sys.stdout = open(1, "w", encoding=sys.stdout.encoding, errors="backslashreplace",
                      closefd=False, newline="\n")
    support.record_original_stdout(sys.stdout)


def run_module(name, plan):
    from test import support
    prepare(support)
    if name in C_API_ONLY:
        sys.modules["_testcapi"] = sys.modules["_testinternalcapi"] = None
    runner = Runner(plan)
    module = importlib.import_module("test." + name)
    main = getattr(module, "test_main", None)
    if main is not None:
        support._run_suite = runner.run
        main()
        return
    runner.run(unittest.TestLoader().loadTestsFromModule(module))


def main():
    plan = {}
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as file:
            plan = json.load(file)
    name = sys.argv[1]
    del sys.argv[1:]
    try:
        run_module(name, plan)
    except unittest.SkipTest as reason:
        report("module", status="skipped", message=str(reason))
    except BaseException:
        report("module", status="error", message=message_of(sys.exc_info()))
    report("end")


if __name__ == "__main__":
    main()
