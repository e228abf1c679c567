#!/usr/bin/python3
"""What each step of retort-aot gains: the CPU-bound set against native CPython, as a table.

Builds one program per row of STEPS from build/python (about three minutes each, kept in the cache
of retort-aot), without sandbox: the training driver runs the guest. Then runs tests/bench/programs
in all of them and natively, turn by turn, and compares the least CPU time of each. docs/ENGINE.md
has the result.

    tests/bench/engine_steps.py [--rounds N] [--only WORD]
"""
import argparse
import math
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NATIVE = "/usr/bin/python3.11"
PROGRAMS = sorted((ROOT / "tests/bench/programs").glob("*.py"))
TRAINING = sorted((ROOT / "worker/guest/python/training").glob("*.py"))
MODULE = ROOT / "build/python/python.wasm"

PLAIN = ["--opt", "-O2", "--no-profile", "--no-lto"]
TRAINED = [flag for path in TRAINING for flag in ("--train", str(path))]
STEPS = (
    ("wasm2c as it comes, -O2", [*PLAIN, "--no-constant-base", "--no-static-instance",
                                 "--no-computed-goto"]),
    ("loads and stores at a constant base", [
        *PLAIN, "--base", "0x200000000000", "--no-static-instance", "--no-native-libc",
        "--no-computed-goto"]),
    ("static instance, constant call tables", [
        *PLAIN, "--base", "0x200000000000", "--no-native-libc", "--no-computed-goto"]),
    ("base 0", [*PLAIN, "--no-native-libc", "--no-computed-goto"]),
    ("native libc bodies", [*PLAIN, "--no-computed-goto"]),
    ("computed goto", PLAIN),
    ("profile, -O3", ["--no-lto", *TRAINED]),
    ("optimization across units", TRAINED),
)
HARNESS = """
if __name__ == "__main__":
    import time
    best = None
    for _ in range({repeats}):
        begin = time.process_time()
        run()
        took = time.process_time() - begin
        best = took if best is None else min(best, took)
    print(best)
"""


def build(number, flags):
    """The directory of the program of that row."""
    directory = ROOT / "build" / "steps" / str(number)
    command = [ROOT / "aot/retort-aot", MODULE, "-o", directory, "--rootfs",
               ROOT / "build/python/rootfs", "--arg", "python", "--arg", "-I", "--arg",
               "/work/main.py", "--reads-job-device", "--driver", *flags]
    subprocess.run(list(map(str, command)), check=True)
    return directory


def seconds(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {done.stderr[-500:]}")
    return float(done.stdout.split()[-1])


def measure(directories, rounds):
    """{program: [native seconds, seconds of each directory]}, the least of all rounds."""
    best = {}
    with tempfile.TemporaryDirectory() as scratch:
        main = pathlib.Path(scratch, "main.py")
        for program in PROGRAMS * rounds:
            main.write_text(program.read_text() + HARNESS.format(repeats=3))
            took = [seconds([NATIVE, "-I", main])]
            took += [seconds([d / "program", "--tree", d / "tree", "--bootstrap", "--file",
                              f"/work/main.py={main}", "--", "python", "-I", "/work/main.py"])
                     for d in directories]
            before = best.get(program.stem, took)
            best[program.stem] = [min(pair) for pair in zip(before, took)]
    return best


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="rows whose name contains this")
    arguments = parser.parse_args()
    rows = [(name, build(number, flags)) for number, (name, flags) in enumerate(STEPS)
            if arguments.only in name]
    best = measure([directory for _, directory in rows], arguments.rounds)
    print("| step | times native |\n|---|---|")
    for at, (name, _) in enumerate(rows, 1):
        print(f"| {name} | {mean([times[at] / times[0] for times in best.values()]):.3f} |")
    print("\n| program | native, ms | last row |\n|---|---|---|")
    for program, times in best.items():
        print(f"| {program} | {times[0] * 1e3:.0f} | {times[-1] / times[0]:.2f} |")


if __name__ == "__main__":
    main()
