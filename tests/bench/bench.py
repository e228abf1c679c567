"""`make bench`: Retort side by side with native Python processes, in one run on one machine.

Small jobs: print(1+1) over HTTP, through queue and sandbox, against `/usr/bin/python3.11 -I -c`
started by posix_spawn. Both are measured in turns, so that what else the machine does falls on
both. CPU-bound programs: each in one job and in one native process, in turns, the least time of
each counts, timed inside the program. Writes build/bench.json and prints two tables.

    bench.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from service import BUILD, NATIVE_PYTHON, REPOSITORY, Service, wait_until  # noqa: E402

NATIVE = [NATIVE_PYTHON, "-I", "-c", "print(1+1)"]
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
SETTINGS = {"MAX_EXEC_TIMEOUT_MS": "60000", "CPU_TIME_LIMIT_SEC": "60",
            "MAX_QUEUE_DEPTH": "10000"}

# Figure, bar, whether more is better, sentence. Bars are ratios to native unless a unit stands there.
BARS: list[tuple[str, float, bool, str]] = [
    ("latency_p50", 0.30, False, "p50 of print(1+1), one client"),
    ("cpu_per_job", 0.25, False, "CPU time of a job, all processes together"),
    ("throughput_8", 4.0, True, "throughput, 8 clients"),
    ("burst_p99", 0.5, False, "burst of 100: p99"),
    ("private_mib", 1.5, False, "private memory of a running job, MiB"),
    ("cpu_bound", 1.3, False, "CPU-bound set, geometric mean"),
]

# Appended to each CPU-bound program.
TIMER = """
import time as _time
_began = _time.perf_counter()
_result = run()
print(_time.perf_counter() - _began)
print(_result)
"""


class Bench:
    def __init__(self, service: Service, directory: pathlib.Path, scale: float) -> None:
        self.service = service
        self.scale = scale
        self.body = directory / "body.json"
        self.body.write_text(json.dumps({"code": "print(1+1)"}))

    def load(self, clients: int, requests: int) -> dict[str, Any]:
        return self.tool("load", str(self.service.port), str(clients), str(requests),
                         str(self.body), '"stdout":"2\\n"')

    def spawn(self, at_once: int, total: int) -> dict[str, Any]:
        return self.tool("spawn", str(at_once), str(total), *NATIVE)

    @staticmethod
    def tool(name: str, *arguments: str) -> dict[str, Any]:
        done = subprocess.run([str(BUILD / "tests/bench" / name), *arguments],
                              capture_output=True, text=True, check=True)
        figures: dict[str, Any] = json.loads(done.stdout)
        if figures["errors"]:
            raise SystemExit(f"bench: {name} {' '.join(arguments)}: {figures['errors']} errors")
        return figures

    def rounds(self, count: int) -> int:
        return max(1, round(count * self.scale))

    def in_turns(self, at_once: int, ours: int, native: int, rounds: int) -> dict[str, Any]:
        """Both sides, rounds times in turns; of each figure the median of the rounds."""
        pairs = []
        for _ in range(self.rounds(rounds)):
            pairs.append((self.load(at_once, ours), self.spawn(at_once, native)))
        return {side: {name: median([pair[index][name] for pair in pairs])
                       for name in ("p50_us", "p90_us", "p99_us", "per_second")}
                for index, side in enumerate(("retort", "native"))}

    def small_jobs(self) -> dict[str, Any]:
        self.load(4, 200)
        figures = {"latency": self.in_turns(1, 400, 40, 5)}
        for clients in (1, 8, 64):
            say(f"throughput, {clients} at a time")
            figures[f"throughput_{clients}"] = self.in_turns(clients, 1500, 150, 3)
        say("burst of 100")
        figures["burst"] = self.in_turns(100, 100, 100, 7)
        return figures

    def costs(self) -> dict[str, Any]:
        """CPU time and faults of a job, summed over every process that has a part in it."""
        jobs = self.rounds(3000)
        self.load(1, 200)
        zygote = self.service.zygote()
        assert zygote is not None
        pids = {name: part.pid for name, part in self.service.parts.items()}
        pids["zygote and jobs"] = zygote.pid
        before = {name: cpu_us(pid) for name, pid in pids.items()}
        faults = minor_faults_of_children(zygote.pid)
        self.load(1, jobs)
        wait_until(lambda: not self.service.busy_job(), "idle")
        each = {name: (cpu_us(pid) - before[name]) / jobs for name, pid in pids.items()}
        native = self.spawn(1, self.rounds(150))
        return {"cpu_us": each, "cpu_us_total": sum(each.values()),
                "minor_faults": (minor_faults_of_children(zygote.pid) - faults) / jobs,
                "native_cpu_us": native["cpu_us_each"],
                "native_minor_faults": native["minor_faults_each"]}

    def private_memory_kib(self) -> int | None:
        """Of a job that has printed and goes on; None where /proc does not tell."""
        connection = self.service.hang_up_after_sending("print(1+1)\nwhile True: pass")
        try:
            # It has to be seen running twice: then its few milliseconds of start are over.
            job = wait_until(self.service.busy_job, "a running job")
            time.sleep(0.2)
            return private_kib(job.pid)
        except OSError:
            return None
        finally:
            connection.close()
            wait_until(lambda: not self.service.busy_job(), "the end of the job")

    def cpu_bound(self) -> dict[str, Any]:
        programs = sorted((HERE / "programs").glob("*.py"))
        figures = {}
        for path in programs:
            code = path.read_text("utf-8") + TIMER
            ours, native = [], []
            for _ in range(self.rounds(7)):
                ours.append(self.timed_job(path.stem, code))
                native.append(timed_native(code))
            if ours[0][1] != native[0][1]:
                raise SystemExit(f"bench: {path.stem} gives {ours[0][1]!r}, not {native[0][1]!r}")
            least = min(ours)[0], min(native)[0]
            figures[path.stem] = {"retort_s": least[0], "native_s": least[1],
                                  "ratio": least[0] / least[1]}
            say(f"  {path.stem:12} {least[0] / least[1]:.2f}")
        ratios = [figure["ratio"] for figure in figures.values()]
        return {"programs": figures,
                "geometric_mean": math.exp(sum(map(math.log, ratios)) / len(ratios))}

    def timed_job(self, name: str, code: str) -> tuple[float, str]:
        answer = self.service.execute(code)
        if answer.exit_code != 0:
            raise SystemExit(f"bench: {name}: {answer.verdict}: {answer.stderr[-500:]}")
        seconds, result = answer.stdout.split("\n", 1)
        return float(seconds), result


def timed_native(code: str) -> tuple[float, str]:
    done = subprocess.run([NATIVE_PYTHON, "-I", "-"], input=code, capture_output=True, text=True,
                          check=True)
    seconds, result = done.stdout.split("\n", 1)
    return float(seconds), result


def median(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def stat_fields(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on (proc(5) counts from 1)."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2:].split()


def cpu_us(pid: int) -> float:
    """User and system time of the process and of the children that it has waited for."""
    return sum(map(int, stat_fields(pid)[11:15])) * 1e6 / CLOCK_TICKS


def minor_faults_of_children(pid: int) -> int:
    return int(stat_fields(pid)[8])


def private_kib(pid: int) -> int:
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def boot_ms(service: Service) -> float:
    for line in service.log_lines("worker"):
        if line.get("event") == "zygote_ready":
            return float(line["boot_us"]) / 1000
    raise SystemExit("bench: the worker's log does not tell when the zygote was ready")


def reached(figures: dict[str, Any]) -> dict[str, float]:
    small, costs = figures["small_jobs"], figures["costs"]

    def ratio(name: str, key: str) -> float:
        return float(small[name]["retort"][key] / small[name]["native"][key])
    return {"latency_p50": ratio("latency", "p50_us"),
            "cpu_per_job": costs["cpu_us_total"] / costs["native_cpu_us"],
            "throughput_8": ratio("throughput_8", "per_second"),
            "burst_p99": ratio("burst", "p99_us"),
            "private_mib": (figures["private_kib"] or math.nan) / 1024,
            "cpu_bound": figures["cpu_bound"]["geometric_mean"]}


def print_tables(figures: dict[str, Any]) -> None:
    small, costs = figures["small_jobs"], figures["costs"]
    print("\n| print(1+1) | Retort | native process | ratio |\n|---|---|---|---|")

    def row(title: str, ours: float, native: float, unit: str) -> None:
        print(f"| {title} | {ours:.2f} {unit} | {native:.2f} {unit} | {ours / native:.2f} |")
    for quantile in ("p50_us", "p99_us"):
        row(f"latency {quantile[:3]}, 1 client", small["latency"]["retort"][quantile] / 1000,
            small["latency"]["native"][quantile] / 1000, "ms")
    for clients in (1, 8, 64):
        both = small[f"throughput_{clients}"]
        row(f"throughput, {clients} at a time", both["retort"]["per_second"],
            both["native"]["per_second"], "/s")
    row("burst of 100, p99", small["burst"]["retort"]["p99_us"] / 1000,
        small["burst"]["native"]["p99_us"] / 1000, "ms")
    row("CPU time of a job", costs["cpu_us_total"] / 1000, costs["native_cpu_us"] / 1000, "ms")
    row("minor faults of a job", costs["minor_faults"], costs["native_minor_faults"], "")
    shares = ", ".join(f"{name} {us / 1000:.2f} ms" for name, us in costs["cpu_us"].items())
    print(f"\nCPU time by process: {shares}. Zygote: {figures['zygote_boot_ms']:.0f} ms to boot.")
    print("\n| CPU-bound program | Retort | native | ratio |\n|---|---|---|---|")
    for name, figure in figures["cpu_bound"]["programs"].items():
        print(f"| {name} | {figure['retort_s'] * 1000:.1f} ms | {figure['native_s'] * 1000:.1f} ms "
              f"| {figure['ratio']:.2f} |")
    print_bars(figures["reached"])


def print_bars(figures: dict[str, float]) -> None:
    print("\n| must reach | bar | reached | |\n|---|---|---|---|")
    for name, bar, more, sentence in BARS:
        good = figures[name] >= bar if more else figures[name] <= bar
        print(f"| {sentence} | {'at least' if more else 'at most'} {bar:g} | {figures[name]:.2f} "
              f"| {'yes' if good else 'no'} |")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a fifth of the rounds")
    arguments = parser.parse_args()

    service = Service(SETTINGS)
    with tempfile.TemporaryDirectory(prefix="retort-bench-") as directory:
        try:
            service.start()
            bench = Bench(service, pathlib.Path(directory), 0.2 if arguments.quick else 1.0)
            figures: dict[str, Any] = {"machine": {"processors": os.cpu_count(),
                                                   "system": platform.platform()}}
            say("latency, one client")
            figures["small_jobs"] = bench.small_jobs()
            say("CPU time and memory of a job")
            figures["costs"] = bench.costs()
            figures["private_kib"] = bench.private_memory_kib()
            figures["zygote_boot_ms"] = boot_ms(service)
            say("CPU-bound programs, times native:")
            figures["cpu_bound"] = bench.cpu_bound()
        finally:
            service.stop()
    figures["reached"] = reached(figures)
    output = REPOSITORY / "build/bench.json"
    output.write_text(json.dumps(figures, indent=1) + "\n")
    print_tables(figures)
    print(f"\nAll figures: {output.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
