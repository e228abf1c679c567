"""What a key and its rate cost: /v1/execute with and without, in turns on two services.

    key_cost.py [--quick]

Prints the medians of the rounds, and fails when a key costs more than MOST_MS at p50.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from service import BUILD, Service  # noqa: E402  pylint: disable=wrong-import-position

MOST_MS = 0.3
TOKEN = "a-key-of-the-bench"


def load(service: Service, body: pathlib.Path, requests: int) -> dict[str, Any]:
    header = ["--header", f"Authorization: Bearer {service.token}"] if service.token else []
    done = subprocess.run([str(BUILD / "tests/bench/load"), *header, str(service.port), "1",
                           str(requests), str(body), '"stdout":"2\\n"'],
                          capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    if figures["errors"]:
        raise SystemExit(f"key_cost: {figures['errors']} errors")
    return figures


def api_cpu_us(service: Service) -> float:
    fields = pathlib.Path(f"/proc/{service.parts['api'].pid}/schedstat").read_text().split()
    return int(fields[0]) / 1000


def measure(services: dict[str, Service], body: pathlib.Path, rounds: int,
            requests: int) -> dict[str, dict[str, float]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in services}
    for service in services.values():
        load(service, body, 100)
    for _ in range(rounds):
        for name, service in services.items():
            before = api_cpu_us(service)
            figures = load(service, body, requests)
            found[name].append({"p50_us": figures["p50_us"], "p99_us": figures["p99_us"],
                                "api_cpu_us": (api_cpu_us(service) - before) / requests})
    return {name: {figure: statistics.median(row[figure] for row in rows) for figure in rows[0]}
            for name, rows in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    rounds, requests = (3, 200) if parser.parse_args().quick else (15, 400)
    services = {"without": Service(), "with": Service({"API_KEYS": f"{TOKEN}:bench:100000:100000"})}
    services["with"].token = TOKEN
    try:
        for service in services.values():
            service.start()
        with tempfile.TemporaryDirectory() as directory:
            body = pathlib.Path(directory) / "body.json"
            body.write_text(json.dumps({"code": "print(1+1)"}))
            figures = measure(services, body, rounds, requests)
    finally:
        faults = [fault for service in services.values() for fault in service.close()]
    cost_ms = (figures["with"]["p50_us"] - figures["without"]["p50_us"]) / 1000
    for name, row in figures.items():
        print(f"{name:8} " + "  ".join(f"{figure} {value:8.1f}" for figure, value in row.items()))
    print(f"a key costs {cost_ms:.3f} ms at p50; {MOST_MS} at most")
    print("\n".join(faults), end="")
    return 0 if cost_ms <= MOST_MS and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
