"""Runs the fuzzers one after the other, from their seeds and from what earlier runs found.

    run.py --build DIR [--match TEXT] (--runs N | --seconds N) tests/fuzz/NAME.c...

Inputs that found something new are kept in DIR/corpus/NAME, the input of a finding in
DIR/findings/. The last line counts the fuzzers that found nothing and those that did.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import seeds  # pylint: disable=wrong-import-position

# Longest input, and for how many seconds one may run: what takes longer is a finding, too.
MOST_BYTES = {"wasi": 512, "http": 2048, "json": 2048, "runs": 2048}
SLOWEST_SECONDS = 20
DONE = re.compile(r"Done (\d+) runs in (\d+) second")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--match", default="")
    amount = parser.add_mutually_exclusive_group(required=True)
    amount.add_argument("--runs", type=int)
    amount.add_argument("--seconds", type=int)
    parser.add_argument("sources", nargs="+", type=Path)
    return parser.parse_args()


def command(options: argparse.Namespace, name: str) -> list[str]:
    build = options.build
    corpus, findings = build / "corpus" / name, build / "findings"
    for directory in (corpus, findings):
        directory.mkdir(parents=True, exist_ok=True)
    dictionary = Path(__file__).with_name(f"{name}.dict")
    amount = (f"-runs={options.runs}" if options.runs is not None
              else f"-max_total_time={options.seconds}")
    return [str(build / "tests/fuzz" / name), amount, f"-max_len={MOST_BYTES.get(name, 1024)}",
            # Choosing inputs by their entropy takes twice the time that a run of these takes.
            "-entropic=0", f"-timeout={SLOWEST_SECONDS}", f"-artifact_prefix={findings}/{name}-",
            *([f"-dict={dictionary}"] if dictionary.exists() else []),
            str(corpus), str(build / "seeds" / name)]


def run(options: argparse.Namespace, name: str) -> bool:
    started = time.monotonic()
    with subprocess.Popen(command(options, name), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        assert process.stdout is not None
        output = process.stdout.read()
    seconds = time.monotonic() - started
    done = DONE.search(output)
    if process.returncode != 0 or done is None:
        print(f"  FAIL  {name}: status {process.returncode} after {seconds:.0f} s")
        print("\n".join(f"        | {line}" for line in output.splitlines()[-60:]), flush=True)
        return False
    covered = re.findall(r"cov: (\d+)", output)
    print(f"  ok    {name}: {done[1]} executions in {seconds:.0f} s, "
          f"{covered[-1] if covered else 0} edges", flush=True)
    return True


def main() -> int:
    options = arguments()
    names = [source.stem for source in options.sources if options.match in str(source)]
    seeds.write_all(options.build / "seeds")
    passed = sum([run(options, name) for name in names])
    print(f"fuzz: {passed} passed, {len(names) - passed} failed, 0 skipped", flush=True)
    return 0 if passed == len(names) > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
